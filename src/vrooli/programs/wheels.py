"""Programs that package indexes offer as wheels: Go and Node.js."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from vrooli import process


async def unpack(requirements: Path, target: Path, limit_s: float) -> None:
    """Install wheels into a new folder; what an earlier attempt left there is deleted.

    Args:
        requirements: The file that names them, with their hashes.
        target: The folder.
        limit_s: How long it may take, seconds.

    Raises:
        CommandError: They can't be downloaded, or have other hashes.
    """
    shutil.rmtree(target, ignore_errors=True)
    # pip, because it may be configured to use a company's mirror. PIP_USER conflicts with --target.
    pip = [sys.executable, "-P", "-m", "pip", "install", "--quiet", "--no-deps"]
    verified = ["--only-binary", ":all:", "--require-hashes", "--requirement", str(requirements)]
    install = [*pip, "--target", str(target), *verified]
    await process.run(install, env={"PIP_USER": "0"}, timeout_s=limit_s)
