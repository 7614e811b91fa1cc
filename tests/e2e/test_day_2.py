"""Commands of docs/day-2.md run as the page prints them, on the live release.

Each of them changes nothing, makes a backup, or is refused. docs/day-2-proofs.yaml names the tests
of the others.
"""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from support.cluster.live import Live
from support.docs import runbooks
from support.docs.shell import Shell, shows
from support.docs.specification_commands import Printed, Way
from vrooli import project
from vrooli.errors import PrerequisiteError

pytestmark = [pytest.mark.root, pytest.mark.anyio]

PROOF = "tests/e2e/test_day_2.py::test_a_command_of_the_page_runs"
REFUSED = (PrerequisiteError.exit_code,)
# What each command has to print.
COMMANDS = (
    Printed("vrooli status -e prod", ("vrooli-dev",)),
    Printed("vrooli diagnose -e prod", (r"rules",)),
    Printed("vrooli backup -e prod", (r"\d{8}-\d{6}",)),
    Printed("vrooli backups -e prod", (r"\d{8}-\d{6}",)),
    Printed("vrooli shell server", ("in vrooli-dev-server-",), Way.TERMINAL),
    Printed(
        "vrooli psql -e prod --read-only",
        (r"\b42\b",),
        Way.TERMINAL,
        typed="SELECT 40 + 2;\n\\q\n",
        prompt="=# ",
    ),
    Printed("vrooli shell server -- cat /etc/hosts", ("localhost",)),
    Printed('vrooli psql -c "SELECT count(*) FROM pg_stat_activity"', (r"^ +\d+$",)),
    Printed("vrooli redis-cli INFO replication", ("role:master",)),
    Printed("vrooli open ui", ("http://",)),
    Printed("vrooli open adminer --no-browser", ("http://",)),
    Printed("vrooli cache show", (r"\S",)),
    Printed("vrooli grow backups 200Gi -e prod", ("cannot grow",), statuses=REFUSED),
)


@pytest.fixture
def shell(live: Live, tmp_path: Path) -> Shell:
    """A shell as the README leaves it, without a browser."""
    path = os.pathsep.join((str(project.root() / ".venv" / "bin"), os.environ["PATH"]))
    environment = {
        "PATH": path,
        "HOME": os.environ.get("HOME", "/root"),
        "KUBECONFIG": str(live.kubeconfig),
        "VROOLI_CLUSTER": live.cluster,
    }
    return Shell(tmp_path, environment, {})


def _in_dev(command: Printed) -> Printed:
    """The command with the environment of the live release in the place of the page's."""
    return replace(command, text=command.text.replace("-e prod", "-e dev"))


def test_the_commands_are_those_of_the_page() -> None:
    listed = {text for row in runbooks.proofs().values() for text in row if row[text] == PROOF}
    assert {command.text for command in COMMANDS} == listed


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.text)
async def test_a_command_of_the_page_runs(shell: Shell, command: Printed) -> None:
    status, output = await shell.run(_in_dev(command))
    assert status in command.statuses, output
    assert shows(output, command.shows), output


@pytest.mark.long
@pytest.mark.timeout(1200)
async def test_all_generated_secrets_are_rotated(shell: Shell) -> None:
    patient = replace(shell, limit_s=1100.0)
    status, output = await patient.run(Printed("vrooli rotate all -e dev"))
    assert status == 0, output
    assert shows(output, ("postgres", "redis", "shared")), output


async def test_the_caches_are_cleaned(shell: Shell) -> None:
    own = {**shell.environment, "VROOLI_CACHE_DIR": str(shell.folder / "cache")}
    status, output = await replace(shell, environment=own).run(Printed("vrooli cache clean"))
    assert status == 0, output
