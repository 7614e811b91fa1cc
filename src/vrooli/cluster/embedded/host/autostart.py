"""Starting a cluster when the host starts, and ending it in order before the host stops.

A systemd unit for each cluster. systemd doesn't watch over the cluster: its supervisor does.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

from vrooli import project
from vrooli.cluster.embedded.layout import Layout
from vrooli.cluster.embedded.settings import write_atomically
from vrooli.errors import PrerequisiteError
from vrooli.process import run

UNITS = Path("/etc/systemd/system")
# Is there only where systemd runs the host: sd_booted(3).
SYSTEMD_RUNNING = Path("/run/systemd/system")
TARGET = "multi-user.target"
# Words that need no quotes.
UNQUOTED = re.compile(r"[-\w./=:+@,%$]+")
# The supervisor's own limit, and the time until all else is killed, seconds.
STOP_S = 180
# What decides where a cluster and its programs are found; the rest has no say in a resume.
VARIABLES = ("VROOLI_ROOT", "VROOLI_IMAGE_BUILDER")


def is_available() -> bool:
    """Whether systemd runs this host."""
    return SYSTEMD_RUNNING.is_dir()


def unit(layout: Layout) -> Path:
    """The unit of a cluster; its name is unique on the host, as the cluster's identity is."""
    return UNITS / f"{layout.identity}.service"


def is_enabled(layout: Layout) -> bool:
    """Whether the cluster is started with the host."""
    return unit(layout).is_file() and _link(layout).is_symlink()


async def enable(layout: Layout) -> bool:
    """Have the cluster started with the host; says whether that changed anything.

    Raises:
        PrerequisiteError: systemd doesn't run here, or we aren't root.
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
    """Have the cluster no longer started with the host; says whether that changed anything.

    Raises:
        PrerequisiteError: We aren't root.
    """
    path, link = unit(layout), _link(layout)
    if not path.exists() and not link.is_symlink():
        return False
    try:
        # What `systemctl disable` does; it also works where systemd doesn't run now.
        link.unlink(missing_ok=True)
        path.unlink(missing_ok=True)
    except PermissionError as error:
        raise _not_root(path) from error
    if is_available():
        await run(["systemctl", "daemon-reload"])
    return True


def start_command() -> tuple[str, ...]:
    """How this very installation of vrooli is started."""
    return (sys.executable, "-m", "vrooli")


def unit_environment() -> dict[str, str]:
    """What the unit must say for the same folders to be used as now."""
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
    # In commands, unlike settings, $ begins a variable.
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
# The supervisor leaves this unit for a cgroup of the cluster's own, and watches over the rest.
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
    """A word as systemd reads it, with specifiers (%) taken literally."""
    literal = word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%")
    return f'"{literal}"' if UNQUOTED.fullmatch(word) is None else literal


def _link(layout: Layout) -> Path:
    return UNITS / f"{TARGET}.wants" / unit(layout).name


def _not_root(path: Path) -> PrerequisiteError:
    return PrerequisiteError(f"{path} can't be written.", "Run the command as root: with sudo.")
