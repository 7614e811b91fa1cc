"""The launchers at the specification's paths, and the environment that they make first."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
import tomllib
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType

import pytest

from vrooli import project
from vrooli.cluster.embedded.host import autostart

LAUNCHERS = {
    "scripts/main/setup.sh": "setup",
    "scripts/main/develop.sh": "develop",
    "scripts/main/build.sh": "build",
    "scripts/main/deploy.sh": "deploy",
    "scripts/main/test.sh": "test",
    "scripts/helpers/deploy/k8s.sh": "deploy --source k8s",
    "scripts/helpers/deploy/k8s-dependencies-check.sh": "check",
    "scripts/helpers/deploy/k8s-prerequisites.sh": "check --operators --fix",
    "scripts/helpers/setup/target/k8s_cluster.sh": "setup --target k8s-cluster",
    "scripts/helpers/develop/target/k8s_cluster.sh": "develop --target k8s-cluster",
}

# A start of Python in code that searches modules in the current directory.
UNSAFE_START = re.compile(r"""(executable|"python"|\[python), "-m\"""")


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout's scripts, with an environment whose Python only says what it was given."""
    root = tmp_path / "a checkout"
    shutil.copytree(project.root() / "scripts", root / "scripts")
    for name in ("uv.lock", "pyproject.toml"):
        (root / name).write_text(name)
    python = root / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text('#!/bin/sh\necho "$VROOLI_SUITE|$*"\n')
    python.chmod(0o755)
    command = f'cat "{root}/uv.lock" "{root}/pyproject.toml" | cksum'
    checksum = subprocess.run(["sh", "-c", command], check=True, capture_output=True, text=True)
    (root / ".venv" / ".made-from").write_text(f"{root} {checksum.stdout.strip()}")
    return root


def _run(
    script: Path, *words: str, env: Mapping[str, str] | None = None, cwd: str = "/"
) -> subprocess.CompletedProcess[str]:
    bash = shutil.which("bash")
    assert bash is not None
    clean = {name: value for name, value in os.environ.items() if name != "VROOLI_SUITE"}
    return subprocess.run(
        [bash, script, *words],
        check=False,
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        env={**clean, **(env or {})},
        cwd=cwd,
    )


@pytest.mark.parametrize(("launcher", "command"), LAUNCHERS.items())
def test_a_launcher_is_its_command_from_any_folder_with_all_arguments(
    checkout: Path, launcher: str, command: str
) -> None:
    done = _run(checkout / launcher, "--secrets-source", "a b", "-x")
    suite = "all" if command == "test" else ""
    assert done.stdout == f"{suite}|-P -m vrooli {command} --secrets-source a b -x\n"


@pytest.mark.parametrize("launcher", LAUNCHERS)
def test_a_launcher_can_be_called_without_naming_bash(launcher: str) -> None:
    assert os.access(project.root() / launcher, os.X_OK)


def test_the_suites_of_the_test_command_can_be_named(checkout: Path) -> None:
    done = _run(checkout / "scripts" / "main" / "test.sh", env={"VROOLI_SUITE": "unit"})
    assert done.stdout.startswith("unit|")


def test_a_launcher_can_be_reached_by_a_link(checkout: Path, tmp_path: Path) -> None:
    link = tmp_path / "vrooli"
    link.symlink_to(checkout / "scripts" / "vrooli")
    assert _run(link, "status").stdout == "|-P -m vrooli status\n"


@pytest.mark.parametrize("changed", ["uv.lock", "pyproject.toml"])
def test_the_environment_is_made_anew_when_what_it_is_made_from_changes(
    checkout: Path, changed: str
) -> None:
    (checkout / changed).write_text("changed")
    maker = checkout / "scripts" / "environment.py"
    maker.write_text("import sys; sys.stderr.write('made'); sys.exit(0)")
    done = _run(checkout / "scripts" / "vrooli", "status")
    assert (done.stderr, done.stdout) == ("made", "|-P -m vrooli status\n")


def test_the_command_does_not_run_in_an_environment_that_could_not_be_made(
    checkout: Path,
) -> None:
    (checkout / "uv.lock").write_text("changed")
    (checkout / "scripts" / "environment.py").write_text("import sys; sys.exit(3)")
    done = _run(checkout / "scripts" / "vrooli", "status")
    assert (done.returncode, done.stdout) == (3, "")


def test_without_a_python_that_is_new_enough_it_says_which_one_it_needs(
    checkout: Path, tmp_path: Path
) -> None:
    (checkout / "uv.lock").write_text("changed")
    bare = tmp_path / "bin"
    bare.mkdir()
    for program in ("cat", "cksum", "dirname", "readlink"):
        found = shutil.which(program)
        assert found is not None
        (bare / program).symlink_to(found)
    done = _run(checkout / "scripts" / "vrooli", "status", env={"PATH": str(bare)})
    assert done.returncode == 3
    assert "Python 3.11 or later is required" in done.stderr


@pytest.fixture
def environment() -> ModuleType:
    """The script that makes the environment, as a module."""
    path = project.root() / "scripts" / "environment.py"
    spec = importlib.util.spec_from_file_location("environment", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_pips_settings_are_told_to_uv_wherever_they_were_made(environment: ModuleType) -> None:
    listing = (
        ":env:.cert='/etc/ca.pem'\n"
        "global.index-url='https://mirror.example/simple?a=b'\n"
        "install.find-links='/wheels\\n/more'\n"
        "global.timeout='60'\n"
        "global.extra-index-url=''\n"
    )
    assert environment.to_uv_variables(listing) == {
        "SSL_CERT_FILE": "/etc/ca.pem",
        "UV_DEFAULT_INDEX": "https://mirror.example/simple?a=b",
        "UV_FIND_LINKS": "/wheels /more",
    }


def test_a_cache_that_can_not_be_written_is_a_lack_of_the_host(
    environment: ModuleType,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("VROOLI_CACHE_DIR", str(tmp_path / "file" / "cache"))
    assert environment.main("stamp") == 3
    assert "failed to create the Python environment" in capsys.readouterr().err


def test_uv_is_pinned_by_the_hashes_of_its_version(
    environment: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert f"\nuv=={environment.UV_VERSION} \\\n" in environment.UV_REQUIREMENTS.read_text()
    commands: list[list[str]] = []

    def run(command: list[object], env: Mapping[str, str], advice: str) -> None:
        commands.append([str(word) for word in command])

    monkeypatch.setattr(environment, "run", run)
    monkeypatch.setattr(environment, "make_venv", lambda folder: folder.mkdir())
    environment.ensure_uv(tmp_path)
    (install,) = commands
    assert "--require-hashes" in install
    assert install[-1] == str(environment.UV_REQUIREMENTS)


def test_the_build_backend_is_installed_with_the_hashes_of_the_lock(
    environment: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """An isolated build would install what the registry has, without a hash."""
    settings = tomllib.loads((project.root() / "pyproject.toml").read_text())
    (backend,) = settings["build-system"]["requires"]
    assert backend in settings["dependency-groups"]["build"]
    assert {"include-group": "build"} in settings["dependency-groups"]["dev"]
    assert settings["tool"]["uv"]["no-build-isolation-package"] == ["vrooli"]
    lock = tomllib.loads((project.root() / "uv.lock").read_text())["package"]
    locked = {f"{item['name']}=={item.get('version')}": item for item in lock}
    for requirement in settings["dependency-groups"]["build"]:
        assert all(wheel["hash"].startswith("sha256:") for wheel in locked[requirement]["wheels"])

    commands: list[list[str]] = []
    monkeypatch.setattr(
        environment, "run", lambda command, env, advice: commands.append(list(map(str, command)))
    )
    environment.sync_from_mirror(Path("uv"), tmp_path, {}, "")
    export, sync, install = commands
    assert "--all-groups" in export
    assert "--require-hashes" in sync
    assert {"--no-deps", "--no-build-isolation"} <= set(install)


def test_the_images_install_only_wheels_with_recorded_hashes() -> None:
    """A source distribution would run a build backend without a recorded hash."""
    installs = [
        line
        for folder in ("images", "services")
        for path in (project.root() / folder).glob("*/Containerfile")
        for line in path.read_text().splitlines()
        if "pip install" in line
    ]
    assert installs
    for line in installs:
        assert "--only-binary :all: --require-hashes" in line


def test_a_module_in_the_current_directory_is_not_executed(tmp_path: Path) -> None:
    """Root may be in a folder that others can write to."""
    for name in ("vrooli", "typer", "json"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('planted')\n")
    result = subprocess.run(
        [*autostart.start_command(), "--version"],
        check=False,
        capture_output=True,
        text=True,
        cwd=tmp_path,
    )
    assert "planted" not in result.stdout + result.stderr
    assert result.returncode == 0


def test_uv_reads_no_settings_of_the_current_directory(
    environment: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Nor of those above: its cache decides which programs root runs."""
    (tmp_path / "uv.toml").write_text('required-version = "==0.0.1"\n')
    below = tmp_path / "below"
    below.mkdir()
    monkeypatch.chdir(below)
    uv = project.cache_dir() / f"uv-{environment.UV_VERSION}" / "bin" / "uv"
    if not uv.exists():
        pytest.skip("the environment of these tests was made without this uv")
    environment.run([uv, "venv", "--quiet", "--offline", tmp_path / "venv"], {}, "")
    assert (tmp_path / "venv" / "bin" / "python").exists()


def test_no_module_is_run_with_those_of_the_current_directory() -> None:
    sources = [
        path for folder in ("src", "scripts") for path in (project.root() / folder).rglob("*.py")
    ]
    assert [path for path in sources if UNSAFE_START.search(path.read_text())] == []
    assert UNSAFE_START.search('[sys.executable, "-m", "pip"]')


@pytest.mark.parametrize("level", range(3))
@pytest.mark.parametrize("change", ["owner", "mode"])
def test_root_runs_no_uv_that_others_can_change(
    environment: ModuleType,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    level: int,
    change: str,
) -> None:
    if os.geteuid() != 0:
        pytest.skip("other users risk only their own account")
    cache = tmp_path / "above" / "cache"
    cache.mkdir(parents=True)
    environment.require_trusted(cache)
    part = [cache, *cache.parents][level]
    if change == "owner":
        os.chown(part, 4711, 4711)
    else:
        part.chmod(0o777)
    monkeypatch.setenv("VROOLI_CACHE_DIR", str(cache))
    assert environment.main("stamp") == 3
    assert f"is used as root, but {part} " in capsys.readouterr().err
    assert list(cache.iterdir()) == []
