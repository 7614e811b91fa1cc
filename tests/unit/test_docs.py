"""The pages say what the code does: references come from it, and every command shown is one."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer

from support.docs.example_output import SHOWN, shown
from vrooli import project
from vrooli.cli import reference
from vrooli.cli.app import app

ROOT = project.root()
PAGES = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md"))]
BLOCK = re.compile(r"^ *```bash\n(.*?)^ *```", re.DOTALL | re.MULTILINE)
OUTPUT_NAME = r"<!-- output: ([a-z-]+) -->"
OUTPUT = re.compile(rf"({OUTPUT_NAME}\n).*?(<!-- end -->)", re.DOTALL)
LINK = re.compile(r"\]\(([^)#]+)(?:#[^)]*)?\)")
# Paths in the repository or in the package, as inline code; templates such as <name> don't count.
NAMED = re.compile(
    r"`((?:src|tests|bench|docs|scripts|services|k8s|cli|workflows|release|checks|diagnosis|kube)"
    r"/[\w./-]+)`"
)
# Launchers that say which command they are.
LAUNCHED = re.compile(r'/vrooli" (.*?)"\$@"')
# Programs that pages may show and that aren't ours.
OTHERS = {"export", "git", "cd", "kubectl", "helm", "less", ".venv/bin/pre-commit"}


def _name(page: Path) -> str:
    return str(page.relative_to(ROOT))


@pytest.mark.parametrize(
    "page",
    [
        "docs/commands.md",
        "docs/compatibility.md",
        "docs/interface.md",
        "docs/checks.md",
        "docs/development.md",
    ],
)
def test_the_reference_is_what_the_code_says(page: str) -> None:
    path = ROOT / page
    wanted = reference.refreshed(path.read_text())
    if os.environ.get("VROOLI_UPDATE_GOLDEN"):
        path.write_text(wanted)
    assert path.read_text() == wanted, (
        f"{page} is old: bash scripts/main/test.sh --suite unit --update"
    )


@pytest.mark.parametrize("page", ["README.md", "docs/diagnosis.md"])
def test_output_in_the_docs_is_what_the_commands_print(page: str) -> None:
    path = ROOT / page
    current = path.read_text()
    expected = OUTPUT.sub(
        lambda match: f"{match[1]}\n```text\n{shown(match[2])}\n```\n\n{match[3]}", current
    )
    assert set(re.findall(OUTPUT_NAME, current)) <= set(SHOWN)
    if os.environ.get("VROOLI_UPDATE_GOLDEN"):
        path.write_text(expected)
    assert path.read_text() == expected


@pytest.mark.parametrize("page", PAGES, ids=_name)
def test_every_link_leads_to_a_file(page: Path) -> None:
    targets = [link for link in LINK.findall(page.read_text()) if "://" not in link]
    assert [link for link in targets if not (page.parent / link).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=_name)
def test_every_file_that_is_named_exists(page: Path) -> None:
    bases = (ROOT, ROOT / "src" / "vrooli", ROOT / "k8s" / "chart")
    named = set(NAMED.findall(page.read_text()))
    assert {path for path in named if not any((base / path).exists() for base in bases)} == set()


def test_every_variable_of_ours_is_documented() -> None:
    read = re.compile(r"""["'](VROOLI_[A-Z_]+)["']""")
    sources = [path.read_text() for path in (ROOT / "src").rglob("*.py")]
    known = {name for text in sources for name in read.findall(text)}
    page = (ROOT / "docs" / "interface.md").read_text()
    assert {name for name in known if f"`{name}`" not in page} == set()


@pytest.mark.parametrize("flag", ["--rollback", "--no-rollback", "--enable", "--disable"])
def test_both_forms_of_a_switch_are_documented(flag: str) -> None:
    assert f"`{flag}`" in reference.commands()


def test_every_command_has_two_or_three_examples() -> None:
    pages = reference.commands().split("\n## ")
    counts = {page.splitlines()[0]: len(re.findall(r"^# ", page, re.M)) for page in pages}
    assert {name for name, count in counts.items() if not 2 <= count <= 3} == set()


def _shown() -> Iterator[tuple[str, str]]:
    for page in PAGES:
        for block in BLOCK.findall(page.read_text()):
            for line in block.replace("\\\n", " ").splitlines():
                words = line.split("  #")[0].strip()
                if words and not words.startswith("#"):
                    yield _name(page), words


@pytest.mark.parametrize(("page", "line"), list(_shown()))
def test_every_command_shown_can_be_typed_as_it_stands(page: str, line: str) -> None:
    words = shlex.split(_inner(line))
    while words and re.fullmatch(r"[A-Z_]+=\S*", words[0]):
        words.pop(0)
    if words[0] == "bash":
        words.pop(0)
    if words[0] in OTHERS:
        return
    arguments = words[1:]
    if words[0].endswith(".sh"):
        found = LAUNCHED.search((ROOT / words[0]).read_text())
        assert found is not None
        arguments = [*found[1].split(), *arguments]
    elif words[0] != "vrooli":
        assert words[0] in ("scripts/vrooli", ".venv/bin/vrooli"), line
    _parse(arguments)


def _inner(line: str) -> str:
    """What an ``eval "$(…)"`` runs, else the line."""
    found = re.fullmatch(r'eval "\$\((.*)\)"', line)
    return found[1] if found else line


def _parse(arguments: list[str]) -> None:
    """Parse as the command line does, up to the point where the command would run."""
    command = typer.main.get_command(app)
    try:
        context = command.make_context("vrooli", [*arguments])
    except typer.Exit as end:  # --version and the like
        assert end.exit_code == 0
        return
    while (inner := getattr(command, "commands", None)) is not None:
        name, *rest = [*context._protected_args, *context.args]
        command = inner[name]
        context = command.make_context(name, rest, parent=context)
