"""The project's own suites, and the tests of a running release."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from vrooli import process, project
from vrooli import programs as program_cache
from vrooli.environments import Environment
from vrooli.errors import PrerequisiteError, UsageError
from vrooli.events import Listener, Outcome, Progress, StepEnded, StepStarted
from vrooli.release import Release, helm_tests
from vrooli.steps import Done, Step, repeating, run_steps
from vrooli.workflows.clusters import access
from vrooli.workflows.host import package_manager
from vrooli.workflows.host.setup import Machine
from vrooli.workflows.results.suites import CaseView, SuitesResult
from vrooli.workflows.suites import builds, vulnerabilities

LIVE, LINT, VULNERABILITIES, ALL = "live", "lint", "vulnerabilities", "all"
# pytest's suites and their order: the fast ones first.
FOLDERS = ("unit", "programs", "services", "chart", "cluster", "e2e")
LINTS: Mapping[str, tuple[str, ...]] = {
    "ruff check": ("ruff", "check"),
    "ruff format": ("ruff", "format", "--check"),
    "mypy": ("mypy",),
    "lint-imports": ("lint-imports",),
}
# Host packages of the suites' tests, beside those of the cluster.
TEST_PACKAGES: Mapping[str, Mapping[str, str]] = {
    "services": {
        "pgbackrest": "pgbackrest",
        "pgbouncer": "pgbouncer",
        "postgresql-15": "/usr/lib/postgresql/15/bin/postgres",
        "redis-server": "redis-server",
    },
    "e2e": {"chromium": "chromium", "chromium-driver": "chromedriver"},
}
# The suites whose tests run clusters and need all their parts.
ON_CLUSTERS = frozenset({"cluster", "e2e"})
# Programs that only tests run: they use the chart without vrooli, and lint it and CI's workflows.
TEST_PROGRAMS = ("actionlint", "helm", "helm3", "kube-score", "kubeconform")
# Tests run in two processes; the groups of tests/support/lanes.py say which in which.
LANES = ("--numprocesses=2", "--dist=loadscope", "--no-loadscope-reorder")
# The limits of all of pytest and of one lint, seconds. A run with warm caches takes 45 minutes on
# two idle cores; CI ends after 90 minutes.
PYTEST_S, LONG_PYTEST_S = 80 * 60.0, 4 * 3600.0
LINT_S = 600.0
# pytest lists so many of the slowest tests at its end.
SLOWEST = "--durations=20"
# How long interrupted tests may take to delete their clusters, seconds.
CLEANUP_S = 180.0
# The tests start `vrooli` some hundred times. Where a variable keeps Python from writing bytecode,
# as in some container images, each start compiles all of it. Python ignores the empty variable.
KEEP_BYTECODE = {"PYTHONDONTWRITEBYTECODE": ""}
# Tells the tests to update golden files.
UPDATE_GOLDEN = "VROOLI_UPDATE_GOLDEN"


@dataclass(frozen=True)
class SuiteOptions:
    """The options of test.

    Attributes:
        suites: live, lint, vulnerabilities, all, or names of folders in tests/.
        environment: The environment of the release that ``live`` tests.
        cluster: The release's cluster, as ``--cluster`` takes it; None picks one.
        long: Whether the long proofs run, too.
        update: Whether golden files are written anew.
        quiet: Keep standard output free: what the programs print goes to standard error.
    """

    suites: tuple[str, ...]
    environment: Environment
    cluster: str | None = None
    long: bool = False
    update: bool = False
    quiet: bool = False

    @property
    def own(self) -> tuple[str, ...]:
        """The project's own suites among them, in their order."""
        every = (LINT, VULNERABILITIES, *FOLDERS)
        return every if ALL in self.suites else tuple(s for s in every if s in self.suites)


async def run_suites(options: SuiteOptions, listener: Listener) -> SuitesResult:
    """Run the suites in order; a failure does not stop the rest.

    Raises:
        UsageError: The project's own suites are wanted and its repository isn't here.
        VrooliError: The release can't be tested.
    """
    cases: list[CaseView] = []
    if options.own:
        cases += await _run_own(options, listener)
    if LIVE in options.suites:
        cases += await _run_live(options, listener)
    return SuitesResult(
        ok=all(case.passed for case in cases),
        suites=(*options.own, *((LIVE,) if LIVE in options.suites else ())),
        cases=tuple(cases),
    )


async def _run_own(options: SuiteOptions, listener: Listener) -> list[CaseView]:
    _demand_repository()
    await run_steps(package_steps(options), listener)
    async with builds.beside(build_steps(options), listener) as env:
        lints = dict(LINTS) if LINT in options.own else {}
        cases = [await _run_program(*item, options, listener) for item in lints.items()]
        if VULNERABILITIES in options.own:
            is_advisory = VULNERABILITIES not in options.suites
            cases += await vulnerabilities.check(listener, is_advisory=is_advisory)
        if tests := pytest_run(options):
            cases.append(await _run_program("pytest", tests, options, listener, env))
    return cases


def package_steps(options: SuiteOptions) -> list[Step]:
    """The host packages of the suites' tests."""
    packages: dict[str, str] = {}
    for suite in options.own:
        packages |= TEST_PACKAGES.get(suite, {})
    ensure = partial(package_manager.ensure_packages, packages=packages)
    steps = [Step("test-packages", "Host packages of the tests", ensure)] if packages else []
    if ON_CLUSTERS.intersection(options.own):
        # apt's lock: one installation at a time.
        after = ("test-packages",) if packages else ()
        steps += [replace(Machine().steps()[0], after=after)]
    return steps


def build_steps(options: SuiteOptions) -> list[Step]:
    """What is built for the tests that run clusters, so that it does not count for their limits.

    It is built beside the lints and the tests that do not need it.
    """
    if not ON_CLUSTERS.intersection(options.own):
        return []
    steps = Machine(keeps_build_caches=True).steps()
    return [*steps, Step("test-programs", "Programs of the tests", _ensure_tools, ("programs",))]


async def _ensure_tools(progress: Progress) -> Done:
    missing = program_cache.find_missing_groups(TEST_PROGRAMS)
    await program_cache.ensure(TEST_PROGRAMS, progress)
    return Done(changed=bool(missing), detail="are in the cache")


def pytest_run(options: SuiteOptions) -> tuple[str, ...]:
    """The arguments of pytest; empty if no suite uses it.

    All suites are one run, so that the summary line counts all of them.
    """
    folders = [f"tests/{name}" for name in FOLDERS if name in options.own]
    marks = () if options.long else ("-m", "not long")
    lanes = () if options.update else LANES
    return ("pytest", SLOWEST, *lanes, *marks, *folders) if folders else ()


async def _run_program(
    name: str,
    arguments: tuple[str, ...],
    options: SuiteOptions,
    listener: Listener,
    env: Mapping[str, str] | None = None,
) -> CaseView:
    began = time.monotonic()
    status = await process.run_attached(
        [Path(sys.executable).with_name(arguments[0]), *arguments[1:]],
        env={**KEEP_BYTECODE, **(env or {}), **({UPDATE_GOLDEN: "1"} if options.update else {})},
        cwd=project.root(),
        timeout_s=_limit_s(name, options),
        cleanup_s=CLEANUP_S,
        to_log=options.quiet,
    )
    elapsed_s = time.monotonic() - began
    outcome = Outcome.FAILED if status else Outcome.UNCHANGED
    detail = f"ended with status {status}" if status else "passed"
    listener(StepEnded(name, name, outcome, elapsed_s, detail))
    return CaseView(name=name, passed=status == 0, elapsed_s=round(elapsed_s, 3), log="")


def _limit_s(name: str, options: SuiteOptions) -> float:
    if name != "pytest":
        return LINT_S
    return LONG_PYTEST_S if options.long else PYTEST_S


async def _run_live(options: SuiteOptions, listener: Listener) -> list[CaseView]:
    """Run the chart's tests in the running release, one after the other."""
    cases = []
    async with access.connect(options.cluster) as reached:
        release = Release.of(options.environment, reached.cluster.kubeconfig)
        for name in await helm_tests.names(reached.kube, release):
            listener(StepStarted(name, name))
            async with repeating(name, listener):
                result = await helm_tests.run(reached.kube, release, name)
            outcome = Outcome.UNCHANGED if result.passed else Outcome.FAILED
            detail = "passed" if result.passed else result.log
            listener(StepEnded(name, name, outcome, result.elapsed_s, detail))
            elapsed_s = round(result.elapsed_s, 3)
            cases.append(
                CaseView(name=name, passed=result.passed, elapsed_s=elapsed_s, log=result.log)
            )
    return cases


def _demand_repository() -> None:
    if not (project.root() / "tests").is_dir():
        raise UsageError(
            f"The project's own suites need its repository, and {project.root()} has no tests.",
            "Run `bash scripts/main/test.sh` in a checkout.",
        )
    if not Path(sys.executable).with_name("pytest").exists():
        raise PrerequisiteError(
            "This environment has no pytest.",
            "Run `bash scripts/main/test.sh`, which makes the whole environment first.",
        )
