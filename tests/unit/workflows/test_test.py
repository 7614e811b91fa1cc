"""Which programs the project's own suites are."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from vrooli.environments import ENVIRONMENTS
from vrooli.errors import UsageError
from vrooli.events import Event, Outcome, Progress, StepEnded, silent
from vrooli.programs.catalog import GROUPS
from vrooli.steps import Done, Step
from vrooli.workflows.host import setup
from vrooli.workflows.suites import test as suites
from vrooli.workflows.suites.test import SuiteOptions

DEV = ENVIRONMENTS["dev"]
LINTS = ["ruff check", "ruff format", "mypy", "lint-imports"]


def test_a_live_release_s_tests_require_nothing_of_the_project() -> None:
    options = SuiteOptions(("live",), DEV)
    assert suites.pytest_run(options) == ()
    assert suites.package_steps(options) == suites.build_steps(options) == []


def test_all_of_pytest_is_one_run_so_that_its_last_line_counts_all() -> None:
    arguments = suites.pytest_run(SuiteOptions(("all",), DEV))
    folders = [word for word in arguments if word.startswith("tests/")]
    assert folders == [f"tests/{name}" for name in suites.FOLDERS]


@pytest.mark.parametrize(
    ("wanted", "packages", "builds"),
    [
        (("unit",), [], False),
        (("services",), ["test-packages"], False),
        (("cluster",), ["packages"], True),
        (("all",), ["test-packages", "packages"], True),
    ],
)
def test_packages_are_installed_before_the_tests_and_clusters_parts_are_built(
    wanted: tuple[str, ...], packages: list[str], builds: bool
) -> None:
    options = SuiteOptions(wanted, DEV)
    assert [step.name for step in suites.package_steps(options)] == packages
    names = [step.name for step in suites.build_steps(options)]
    assert names[-1:] == (["test-programs"] if builds else [])


def test_a_machine_is_prepared_without_the_programs_that_only_tests_run() -> None:
    programs = setup.all_programs(runs_clusters=True)
    assert not set(suites.TEST_PROGRAMS) & set(programs)
    every = {name for group in GROUPS for name in group.packages}
    assert every == {*suites.TEST_PROGRAMS, *programs}


def test_every_folder_of_tests_belongs_to_a_suite() -> None:
    tests = Path(__file__).parents[2]
    holding = {path.relative_to(tests).parts[0] for path in tests.rglob("test_*.py")}
    assert holding == set(suites.FOLDERS)


def test_long_proofs_are_left_out_unless_they_are_requested() -> None:
    assert "not long" in suites.pytest_run(SuiteOptions(("unit",), DEV))
    assert "not long" not in suites.pytest_run(SuiteOptions(("unit",), DEV, long=True))


class Programs:
    """Stands for the programs of the environment: notes each start, and gives set statuses."""

    def __init__(self, **statuses: int) -> None:
        self.statuses = statuses
        self.started: list[tuple[list[str], dict[str, Any]]] = []

    async def run_attached(self, argv: list[str | Path], **settings: Any) -> int:
        program = Path(argv[0])
        assert program.parent == Path(sys.executable).parent
        words = [program.name, *map(str, argv[1:])]
        self.started.append((words, settings))
        return self.statuses.get(program.name.replace("-", "_"), 0)


@pytest.fixture
def start(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Programs]:
    """Put stand-ins in the programs' place."""

    def put(**statuses: int) -> Programs:
        result = Programs(**statuses)
        monkeypatch.setattr(suites.process, "run_attached", result.run_attached)
        return result

    return put


def test_a_failing_program_does_not_keep_the_other_users_from_running(
    start: Callable[..., Programs],
) -> None:
    programs, events = start(mypy=1), list[Event]()
    options = SuiteOptions(("lint", "unit"), DEV)
    result = asyncio.run(suites.run_suites(options, events.append))
    assert [words[0] for words, _ in programs.started] == [
        *("ruff", "ruff", "mypy", "lint-imports", "pytest")
    ]
    assert not result.ok
    assert [case.name for case in result.cases if not case.passed] == ["mypy"]
    failed = [event for event in events if isinstance(event, StepEnded) and event.step == "mypy"]
    assert failed[0].outcome is Outcome.FAILED


def test_golden_files_are_written_only_when_that_is_requested(
    start: Callable[..., Programs],
) -> None:
    programs = start()
    for update in (False, True):
        options = SuiteOptions(("chart",), DEV, update=update)
        asyncio.run(suites.run_suites(options, silent))
    name = "VROOLI_UPDATE_GOLDEN"
    assert [settings["env"].get(name) for _, settings in programs.started] == [None, "1"]


def test_tests_keep_the_bytecode_of_what_they_start(start: Callable[..., Programs]) -> None:
    programs = start()
    asyncio.run(suites.run_suites(SuiteOptions(("unit",), DEV), silent))
    ((_, settings),) = programs.started
    assert settings["env"]["PYTHONDONTWRITEBYTECODE"] == ""


def test_what_tests_need_is_built_while_the_lints_run(
    start: Callable[..., Programs], monkeypatch: pytest.MonkeyPatch
) -> None:
    programs, started_before = start(), list[int]()

    async def build(progress: Progress) -> Done:
        del progress
        started_before.append(len(programs.started))
        return Done(changed=True, detail="built")

    monkeypatch.setattr(suites, "package_steps", lambda _: [])
    monkeypatch.setattr(suites, "build_steps", lambda _: [Step("build", "Build", build)])
    asyncio.run(suites.run_suites(SuiteOptions(("lint", "cluster"), DEV), silent))
    assert started_before == [0]
    assert [words[0] for words, _ in programs.started][-2:] == ["lint-imports", "pytest"]


def test_for_machines_the_programs_print_beside_the_result(
    start: Callable[..., Programs],
) -> None:
    programs = start()
    asyncio.run(suites.run_suites(SuiteOptions(("unit",), DEV, quiet=True), silent))
    assert programs.started[0][1]["to_log"] is True


def test_without_the_repository_its_suites_are_wrong_use(
    start: Callable[..., Programs], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    programs = start()
    monkeypatch.setenv("VROOLI_ROOT", str(tmp_path))
    with pytest.raises(UsageError, match="need its repository"):
        asyncio.run(suites.run_suites(SuiteOptions(("unit",), DEV), silent))
    assert programs.started == []
