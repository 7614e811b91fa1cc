"""Creates the Python environment of the project, ``.venv``, from ``uv.lock``.

``scripts/vrooli`` runs this file with the Python of the host, so it uses only the standard library,
and modules of ``vrooli`` that need nothing else. It supports Python 3.11 and later. Concurrent runs
are serialized by a lock.

It installs a pinned uv in the cache and passes pip's settings (pip.conf, ``PIP_*``) to uv, which
does not read them, for example a package mirror and its certificates.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "src"))

from vrooli.errors import PrerequisiteError  # noqa: E402 - found by the path above
from vrooli.trust import require_trusted  # noqa: E402

UV_VERSION = "0.13.9"
# uv and the hashes of its wheels.
UV_REQUIREMENTS = ROOT / "scripts" / "uv-wheel.txt"
STAMP = ROOT / ".venv" / ".made-from"
# Settings of pip and the variables of uv with the same meaning.
PIP_TO_UV = {
    "index-url": "UV_DEFAULT_INDEX",
    "extra-index-url": "UV_INDEX",
    "find-links": "UV_FIND_LINKS",
    "trusted-host": "UV_INSECURE_HOST",
    "cert": "SSL_CERT_FILE",
}


def main(stamp: str) -> int:
    """Create the environment for ``stamp`` unless it exists, and return the exit code."""
    cache = Path(os.environ.get("VROOLI_CACHE_DIR") or Path.home() / ".cache" / "vrooli").absolute()
    try:
        cache.mkdir(parents=True, exist_ok=True)
        require_trusted(cache)
        # For its owner only: whoever can open a file can lock it, and block others.
        descriptor = os.open(cache / "environment.lock", os.O_WRONLY | os.O_CREAT, 0o600)
        with os.fdopen(descriptor, "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not (STAMP.is_file() and STAMP.read_text() == stamp):
                sync(ensure_uv(cache))
                STAMP.write_text(stamp)
    except PrerequisiteError as error:
        report(f"vrooli: {error.message}\n        {error.advice}")
        return error.exit_code
    except KeyboardInterrupt:
        report("vrooli: interrupted. Run the same command again. It continues where it stopped.")
        return 130
    except OSError as error:
        report(f"vrooli: failed to create the Python environment: {error}")
        return 3
    return 0


def ensure_uv(cache: Path) -> Path:
    """Install the pinned uv in the cache if necessary, and return its directory."""
    home = cache / f"uv-{UV_VERSION}"
    if (home / "bin" / "uv").is_file():
        require_trusted(home / "bin" / "uv")
        return home
    report(f"Installing uv {UV_VERSION} …")
    fresh = cache / f"uv-{UV_VERSION}.part"
    make_venv(fresh)
    pip = [
        fresh / "bin" / "python",
        "-P",
        "-m",
        "pip",
        "install",
        "--quiet",
        "--only-binary",
        ":all:",
    ]
    # pip rejects PIP_USER inside a virtual environment.
    run(
        [*pip, "--require-hashes", "--requirement", UV_REQUIREMENTS],
        {"PIP_USER": "0"},
        "Check that the package registry is reachable; see `pip config list`.",
    )
    fresh.rename(home)
    return home


def make_venv(folder: Path) -> None:
    """Create a virtual environment with pip; Debian needs an additional package for it."""
    shutil.rmtree(folder, ignore_errors=True)
    command = [sys.executable, "-P", "-m", "venv", folder]
    if subprocess.run(command, check=False, capture_output=True).returncode == 0:
        return
    package = f"python3.{sys.version_info.minor}-venv"
    if shutil.which("apt-get") is None or os.geteuid() != 0:
        raise PrerequisiteError(
            f"Failed to create a virtual environment with `{sys.executable} -m venv`.",
            f"On Debian, as root: apt-get install {package}",
        )
    report(f"Installing {package} …")
    quiet = {"DEBIAN_FRONTEND": "noninteractive"}
    run(["apt-get", "update", "-qq"], quiet, "Check that the package sources of apt are reachable.")
    apt = ["apt-get", "install", "-qq", "--no-install-recommends", "--no-remove", package]
    run(apt, quiet, "Check that the package sources of apt are reachable.")
    shutil.rmtree(folder, ignore_errors=True)
    run(command, {}, f"Run `{sys.executable} -m venv` manually to see the error.")


def sync(uv_home: Path) -> None:
    """Sync ``.venv`` with ``uv.lock``."""
    report("Installing the Python packages of uv.lock …")
    uv = uv_home / "bin" / "uv"
    python = uv_home / "bin" / "python"
    venv = ROOT / ".venv"
    env = {**pip_settings(python), "UV_PROJECT_ENVIRONMENT": str(venv)}
    advice = "Check that the package registry is reachable; see `pip config list`."
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
    """Install the same versions and hashes from the registry in pip's settings.

    ``uv sync`` would use the addresses in the lock file, which are those of the public registry.
    """
    requirements = venv / "requirements.txt"
    project = ["--frozen", "--project", ROOT, "--all-groups", "--output-file", requirements]
    run([uv, "export", "--quiet", "--no-emit-project", *project], env, advice)
    into = ["--compile-bytecode", "--python", venv / "bin" / "python"]
    run([uv, "pip", "sync", "--quiet", *into, "--require-hashes", requirements], env, advice)
    # The build backend was installed above, with its hash.
    alone = ["--no-deps", "--no-build-isolation"]
    run([uv, "pip", "install", "--quiet", *into, *alone, "--editable", ROOT], env, advice)


def pip_settings(python: Path) -> dict[str, str]:
    """Return pip's settings as variables of uv. Existing variables of uv have precedence."""
    command = [python, "-P", "-m", "pip", "config", "list"]
    listing = subprocess.run(command, check=False, capture_output=True, text=True).stdout
    return {
        name: value for name, value in to_uv_variables(listing).items() if name not in os.environ
    }


def to_uv_variables(listing: str) -> dict[str, str]:
    """Convert the output of ``pip config list`` to environment variables of uv."""
    settings = {}
    for line in listing.splitlines():
        name, _, value = line.partition("=")
        uv_name = PIP_TO_UV.get(name.rpartition(".")[2])
        words = value.strip("'\"").replace("\\n", " ").split()
        if uv_name is not None and words:
            settings[uv_name] = " ".join(words)
    return settings


def run(command: Sequence[str | Path], env: Mapping[str, str], advice: str) -> None:
    """Run a program in the project and wait until it exits. Its output is not captured.

    uv reads the settings of its current directory and of those above, where others may have put
    some; the search ends at pyproject.toml.
    """
    ours = {name: value for name, value in os.environ.items() if name != "VIRTUAL_ENV"}
    done = subprocess.run(command, check=False, env={**ours, **env}, cwd=ROOT)
    if done.returncode != 0:
        words = " ".join(str(word) for word in command)
        raise PrerequisiteError(f"`{words}` failed with status {done.returncode}.", advice)


def report(text: str) -> None:
    """Print a message to standard error."""
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
