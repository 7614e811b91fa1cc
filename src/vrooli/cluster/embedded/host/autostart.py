"""Starts a cluster when the host starts, and stops it in order before the host stops.

Each cluster has a systemd unit. The supervisor, not systemd, monitors the cluster.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

from vrooli import project
from vrooli.cluster.embedded.layout import Layout
from vrooli.errors import PrerequisiteError
from vrooli.files import write_atomically
from vrooli.process import run

UNITS = Path("/etc/systemd/system")
# Exists only if systemd runs the host: sd_booted(3).
SYSTEMD_RUNNING = Path("/run/systemd/system")
TARGET = "multi-user.target"
# Words that need no quoting.
UNQUOTED = re.compile(r"[-\w./=:+@,%$]+")
# The supervisor's timeout, plus the time until all other processes are killed, seconds.
STOP_S = 180
# The variables that determine the folders of a cluster and its programs; a resume needs no others.
VARIABLES = ("VROOLI_ROOT", "VROOLI_IMAGE_BUILDER")


def is_available() -> bool:
    """Whether systemd runs this host."""
    return SYSTEMD_RUNNING.is_dir()


def unit(layout: Layout) -> Path:
    """The unit of a cluster, named after the cluster's identity, which is unique on the host."""
    return UNITS / f"{layout.identity}.service"


def is_enabled(layout: Layout) -> bool:
    """Whether the cluster starts with the host."""
    return unit(layout).is_file() and _link(layout).is_symlink()


async def enable(layout: Layout) -> bool:
    """Enable the start of the cluster with the host; returns whether that changed anything.

    Raises:
        PrerequisiteError: systemd does not run here, or the user is not root.
    """
    if not is_available():
        raise PrerequisiteError(
            f"systemd does not run on this host ({SYSTEMD_RUNNING} does not exist), so it cannot "
            f"start the cluster {layout.name}.",
            f"Configure the init system to run `vrooli cluster start {layout.name}` as root.",
        )
    text = unit_text(layout, start_command(), unit_environment())
    path = unit(layout)
    if is_enabled(layout) and path.read_text() == text:
        return False
    try:
        write_atomically(path, text)
    except PermissionError as error:
        raise _not_root(path) from error
    await run(["systemctl", "daemon-reload"])
    await run(["systemctl", "enable", path.name])
    return True


async def disable(layout: Layout) -> bool:
    """Disable the start of the cluster with the host; returns whether that changed anything.

    Raises:
        PrerequisiteError: The user is not root.
    """
    path, link = unit(layout), _link(layout)
    if not path.exists() and not link.is_symlink():
        return False
    try:
        # Like `systemctl disable`, but it also works if systemd is not running.
        link.unlink(missing_ok=True)
        path.unlink(missing_ok=True)
    except PermissionError as error:
        raise _not_root(path) from error
    if is_available():
        await run(["systemctl", "daemon-reload"])
    return True


def start_command() -> tuple[str, ...]:
    """The command line of this installation of vrooli."""
    return (sys.executable, "-P", "-m", "vrooli")


def unit_environment() -> dict[str, str]:
    """The unit's settings that select the current folders."""
    variables = {name: os.environ[name] for name in VARIABLES if name in os.environ}
    return {
        **variables,
        "HOME": str(Path.home()),
        "VROOLI_CACHE_DIR": str(project.cache_dir().resolve()),
    }


def unit_text(layout: Layout, command: Iterable[str], environment: Mapping[str, str]) -> str:
    """The unit's text; see systemd.unit(5) and systemd.service(5)."""
    state_dir = layout.root.parent.parent
    variables = {**environment, "VROOLI_STATE_DIR": str(state_dir)}
    # In commands, unlike in settings, $ begins a variable.
    words = " ".join(_quoted(word).replace("$", "$$") for word in command)
    settings = "\n".join(
        f"Environment={_quoted(f'{name}={value}')}" for name, value in sorted(variables.items())
    )
    folders = {str(state_dir), environment.get("VROOLI_CACHE_DIR", str(state_dir))}
    mounts = " ".join(_quoted(folder) for folder in sorted(folders))
    return f"""\
# Written by `vrooli cluster autostart --enable`; `--disable` removes it.
[Unit]
Description=Kubernetes of the Vrooli cluster {layout.name}
After=local-fs.target network.target
RequiresMountsFor={mounts}

[Service]
# The supervisor moves to the cluster's own cgroup, and monitors the components.
Type=oneshot
RemainAfterExit=yes
{settings}
ExecStart={words} cluster start {layout.name}
ExecStop={words} cluster stop {layout.name}
# Images may have to be built again after an update.
TimeoutStartSec=infinity
TimeoutStopSec={STOP_S}

[Install]
WantedBy={TARGET}
"""


def _quoted(word: str) -> str:
    """A word quoted for systemd, with literal specifiers (%)."""
    literal = word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%")
    return f'"{literal}"' if UNQUOTED.fullmatch(word) is None else literal


def _link(layout: Layout) -> Path:
    return UNITS / f"{TARGET}.wants" / unit(layout).name


def _not_root(path: Path) -> PrerequisiteError:
    return PrerequisiteError(f"{path} can't be written.", "Run the command as root: with sudo.")
