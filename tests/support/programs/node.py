"""Node.js for the page's own tests, as `vrooli dev ui` gets it."""

from __future__ import annotations

import asyncio
from pathlib import Path

from vrooli.development import node
from vrooli.events import Progress


def node_folder() -> Path:
    """The folder that has node and npm."""
    return asyncio.run(node.ensure(Progress())).parent
