"""The values of a release that commands store in the cluster. No I/O here.

Others who can write ConfigMaps cannot change more of a release than these.
"""

from __future__ import annotations

import re
from typing import Any

from vrooli import inert

# Numbers of pods and sizes of volumes: what `scale` and `grow` set.
PATHS = re.compile(
    r"replicaCount\.[A-Za-z0-9]+"
    r"|services\.[A-Za-z0-9]+\.autoscaling\.minReplicas"
    r"|pgoPostgresql\.(instances|pgBouncer\.replicas|backup\.size)"
    r"|spotahomeRedis\.(redis|sentinel)\.replicas"
    r"|persistence\.(postgres|redis)\.size"
)


def demand_from_command(path: str, value: Any, command: str) -> None:
    """Refuse a stored value that no command writes.

    Raises:
        ValueError: No command sets the path, or the command is not one line of plain text.
        TypeError: The value is neither a number nor a text.
    """
    if not PATHS.fullmatch(path):
        raise ValueError("no command sets this value")
    if type(value) not in (int, str):
        raise TypeError("value must be a number or a text")
    if "`" in command or not inert.is_inert(command):
        raise ValueError("command must be one line of visible characters without backticks")
