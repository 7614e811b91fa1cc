"""Make the project's Python environment, ``.venv``, from ``uv.lock``.

Started by ``scripts/vrooli`` with the host's own Python, so it uses the standard library only and
any Python from 3.11 on. Two that start at once take turns; the second finds the work done.

It installs a pinned uv into the cache, since hosts seldom have one, and honours pip's settings
(pip.conf, ``PIP_*``), which uv doesn't read: a company's package mirror and its certificates.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

UV_VERSION = "0.13.9"
ROOT = Path(__file__).resolve().parents[1]
STAMP = ROOT / ".venv" / ".made-from"
# What of pip's settings uv has its own name for.
PIP_TO_UV = {
    "index-url": "UV_DEFAULT_INDEX",
    "extra-index-url": "UV_INDEX",
    "find-links": "UV_FIND_LINKS",
    "trusted-host": "UV_INSECURE_HOST",
    "cert": "SSL_CERT_FILE",
}


class LackError(Exception):
    """The host lacks something; the message says what, and what to do."""


def main(stamp: str) -> int:
    """Make the environment that ``stamp`` names, unless it is there; returns the exit code."""
    cache = Path(os.environ.get("VROOLI_CACHE_DIR") or Path.home() / ".cache" / "vrooli")
    try:
        cache.mkdir(parents=True, exist_ok=True)
        with (cache / "environment.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not (STAMP.is_file() and STAMP.read_text() == stamp):
                sync(ensure_uv(cache))
                STAMP.write_text(stamp)
    except LackError as lack:
        say(f"vrooli: {lack}")
        return 3
    except KeyboardInterrupt:
        say("vrooli: interrupted. Run the same command again: it continues where it stopped.")
        return 130
    except OSError as error:
        say(f"vrooli: can't make the Python environment: {error}")
        return 3
    return 0


def ensure_uv(cache: Path) -> Path:
    """The folder of the pinned uv, put into the cache if it isn't there."""
    home = cache / f"uv-{UV_VERSION}"
    if (home / "bin" / "uv").is_file():
        return home
    say(f"Getting uv {UV_VERSION}, which makes the Python environment …")
    fresh = cache / f"uv-{UV_VERSION}.part"
    make_venv(fresh)
    pip = [fresh / "bin" / "python", "-m", "pip", "install", "--quiet", f"uv=={UV_VERSION}"]
    # A user's PIP_USER is refused inside an environment.
    run(pip, {"PIP_USER": "0"}, "Is the package registry reachable? See `pip config list`.")
    fresh.rename(home)
    return home


def make_venv(folder: Path) -> None:
    """Make a virtual environment with pip; on Debian that needs a package of its own."""
    shutil.rmtree(folder, ignore_errors=True)
    command = [sys.executable, "-m", "venv", folder]
    if subprocess.run(command, check=False, capture_output=True).returncode == 0:
        return
    package = f"python3.{sys.version_info.minor}-venv"
    if shutil.which("apt-get") is None or os.geteuid() != 0:
        raise LackError(
            f"Python can't make virtual environments here ({sys.executable} -m venv fails).\n"
            f"        On Debian, as root: apt-get install {package}"
        )
    say(f"Installing {package} …")
    quiet = {"DEBIAN_FRONTEND": "noninteractive"}
    run(["apt-get", "update", "-qq"], quiet, "Are the package sources of apt reachable?")
    apt = ["apt-get", "install", "-qq", "--no-install-recommends", "--no-remove", package]
    run(apt, quiet, "Are the package sources of apt reachable?")
    shutil.rmtree(folder, ignore_errors=True)
    run(command, {}, f"Try `{sys.executable} -m venv` by hand.")


def sync(uv_home: Path) -> None:
    """Install what ``uv.lock`` names, no more and no less, into ``.venv``."""
    say("Installing the Python packages that uv.lock names …")
    uv = uv_home / "bin" / "uv"
    python = uv_home / "bin" / "python"
    venv = ROOT / ".venv"
    env = {**pip_settings(python), "UV_PROJECT_ENVIRONMENT": str(venv)}
    advice = "Is the package registry reachable? See `pip config list`."
    if not (venv / "bin" / "python").exists():
        run([uv, "venv", "--quiet", "--clear", "--python", sys.executable, venv], env, advice)
    if "UV_DEFAULT_INDEX" not in env and "UV_DEFAULT_INDEX" not in os.environ:
        run(
            [uv, "sync", "--quiet", "--frozen", "--compile-bytecode", "--project", ROOT],
            env,
            advice,
        )
    else:
        sync_from_mirror(uv, venv, env, advice)


def sync_from_mirror(uv: Path, venv: Path, env: Mapping[str, str], advice: str) -> None:
    """Install the same versions and hashes from the registry that pip is set to.

    ``uv sync`` takes the file addresses of the lock file, which are the public registry's.
    """
    wanted = venv / "requirements.txt"
    project = ["--frozen", "--project", ROOT, "--all-groups", "--output-file", wanted]
    run([uv, "export", "--quiet", "--no-emit-project", *project], env, advice)
    into = ["--compile-bytecode", "--python", venv / "bin" / "python"]
    run([uv, "pip", "sync", "--quiet", *into, "--require-hashes", wanted], env, advice)
    run([uv, "pip", "install", "--quiet", *into, "--no-deps", "--editable", ROOT], env, advice)


def pip_settings(python: Path) -> dict[str, str]:
    """What pip is set to, in uv's words; settings of uv itself win."""
    command = [python, "-m", "pip", "config", "list"]
    listing = subprocess.run(command, check=False, capture_output=True, text=True).stdout
    return {name: value for name, value in in_uvs_words(listing).items() if name not in os.environ}


def in_uvs_words(listing: str) -> dict[str, str]:
    """What ``pip config list`` says, as uv's environment variables."""
    settings = {}
    for line in listing.splitlines():
        name, _, value = line.partition("=")
        uv_name = PIP_TO_UV.get(name.rpartition(".")[2])
        words = value.strip("'\"").replace("\\n", " ").split()
        if uv_name is not None and words:
            settings[uv_name] = " ".join(words)
    return settings


def run(command: Sequence[str | Path], env: Mapping[str, str], advice: str) -> None:
    """Run a program to its end; its output is shown as it comes."""
    ours = {name: value for name, value in os.environ.items() if name != "VIRTUAL_ENV"}
    done = subprocess.run(command, check=False, env={**ours, **env})
    if done.returncode != 0:
        words = " ".join(str(word) for word in command)
        raise LackError(f"`{words}` failed with status {done.returncode}.\n        {advice}")


def say(text: str) -> None:
    """Tell the person what is going on."""
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
