"""What a start of the command line imports: each library costs every command time."""

from __future__ import annotations

import json
import subprocess
import sys

from vrooli.cli import completion
from vrooli.cluster.embedded.components import catalog
from vrooli.development import host_services
from vrooli.workflows import components
from vrooli.workflows.scaling import scale

# What requests, models and values files need.
HEAVY = {"pydantic", "asyncio", "anyio", "httpx", "kr8s", "yaml", "ruamel", "jinja2", "ssl"}
HELP = {"rich"}
COMMANDS = {"vrooli.cli.status", "vrooli.cli.deploy", "vrooli.cli.cluster", "vrooli.workflows"}
# Runs the command line once for each line of arguments, and prints the imported modules.
RUN = """
import json, os, sys
from vrooli.cli.app import main
for arguments, environment in json.loads(sys.stdin.read()):
    sys.argv = ["vrooli", *arguments]
    os.environ.update(environment)
    try:
        main()
    except SystemExit as end:
        assert not end.code, (arguments, environment)
print("\\n".join(["", *sys.modules]))
"""


def _imported(*runs: tuple[list[str], dict[str, str]]) -> set[str]:
    done = subprocess.run(
        [sys.executable, "-c", RUN],
        input=json.dumps(runs),
        capture_output=True,
        text=True,
        check=True,
    )
    return set(done.stdout.splitlines())


def _completed(*lines: str) -> set[str]:
    """The modules that are imported for the completion of lines."""
    shells = [
        {
            "_VROOLI_COMPLETE": "complete_bash",
            "COMP_WORDS": line,
            "COMP_CWORD": str(line.count(" ")),
        }
        for line in lines
    ]
    return _imported(*(([], shell) for shell in shells))


def test_the_version_needs_no_command_and_no_library_but_typer() -> None:
    assert _imported((["--version"], {})) & {*HEAVY, *HELP, *COMMANDS} == set()


def test_a_command_that_connects_imports_no_library_of_the_tests() -> None:
    done = subprocess.run(
        [
            sys.executable,
            "-X",
            "importtime",
            "-m",
            "vrooli",
            "status",
            "--cluster",
            "embedded:none",
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    modules = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    assert "httpcore" in modules
    assert "trio._core" not in modules


def test_the_help_of_a_command_needs_only_it_and_the_library_that_shows_it() -> None:
    modules = _imported((["status", "--help"], {}))
    assert modules & {*HEAVY, *HELP, *COMMANDS} == {*HELP, "vrooli.cli.status"}


def test_the_help_of_all_commands_needs_no_workflow() -> None:
    modules = _imported((["--help"], {}), (["cluster", "--help"], {}))
    assert modules & {*HEAVY, "vrooli.workflows"} == set()


def test_a_shell_waits_for_no_workflow() -> None:
    modules = _completed(
        "vrooli st",
        "vrooli status --",
        "vrooli status -e ",
        "vrooli logs ",
        "vrooli scale ",
        "vrooli dev ",
        "vrooli cluster logs ",
        "vrooli cluster stop ",
    )
    assert modules & {*HEAVY, *HELP, "vrooli.workflows"} == set()


def test_contexts_are_completed_without_the_libraries_of_requests() -> None:
    modules = _completed("vrooli status --cluster ")
    assert modules & {*HEAVY, *HELP, "vrooli.workflows"} == {"yaml"}


def test_completed_names_are_those_that_the_commands_accept() -> None:
    assert list(completion.COMPONENTS) == list(components.COMPONENTS)
    assert list(completion.SCALABLE) == list(scale.COMPONENTS)
    assert completion.HOST_SERVICES == host_services.NAMES
    assert list(completion.CLUSTER_COMPONENTS) == sorted(catalog.STOP_ORDER)
