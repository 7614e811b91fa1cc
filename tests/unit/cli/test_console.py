"""What a person sees: live on a terminal, plain lines elsewhere."""

from __future__ import annotations

import io
import re
from pathlib import Path
from typing import TextIO

import pytest
from rich.console import Console

from vrooli.cli.terminal import console as console_module
from vrooli.cli.terminal.console import ConsoleView
from vrooli.cli.terminal.tables import duration, show_rows, show_steps
from vrooli.events import (
    LogLine,
    ObjectProgressed,
    ObjectState,
    Outcome,
    StepEnded,
    StepProgressed,
    StepStarted,
)
from vrooli.workflows.results.base import StepResult, StepsResult


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0.04, "0.0 s"),
        (9.94, "9.9 s"),
        (12.4, "12 s"),
        (59.7, "1 min 00 s"),
        (185, "3 min 05 s"),
    ],
)
def test_times_are_reported_as_people_read_them(seconds: float, said: str) -> None:
    assert duration(seconds) == said


def _view(terminal: bool) -> tuple[ConsoleView, io.StringIO, io.StringIO]:
    progress, results = io.StringIO(), io.StringIO()
    view = ConsoleView(
        Console(file=progress, force_terminal=terminal, width=100, color_system=None),
        Console(file=results, width=100),
    )
    return view, progress, results


ENDED = StepEnded("images", "Images", Outcome.CHANGED, 12.3, "built 3")


def test_without_a_terminal_each_start_and_end_is_a_line() -> None:
    view, progress, _ = _view(terminal=False)
    view.listen(StepStarted("images", "Images"))
    view.listen(ENDED)
    view.close()
    assert progress.getvalue() == "[   0.0 s] Images …\n✓ Images  changed  12 s  built 3\n"


def test_the_end_of_a_step_names_a_change_once_with_and_without_a_detail() -> None:
    view, progress, _ = _view(terminal=False)
    view.listen(StepEnded("images", "Images", Outcome.CHANGED, 1.0, ""))
    view.listen(StepEnded("images", "Images", Outcome.UNCHANGED, 1.0, "14 images"))
    view.listen(StepEnded("images", "Images", Outcome.UNCHANGED, 1.0, ""))
    assert progress.getvalue().splitlines() == [
        "✓ Images  changed  1.0 s",
        "✓ Images  1.0 s  14 images",
        "✓ Images  1.0 s  unchanged",
    ]


def test_the_end_of_a_step_is_one_line_however_long_its_error() -> None:
    view, progress, _ = _view(terminal=False)
    view.listen(StepEnded("images", "Images", Outcome.FAILED, 1.0, "no luck\nmore\nof it"))
    assert progress.getvalue() == "✗ Images  1.0 s  no luck\n"


def test_without_a_terminal_a_talkative_step_gets_few_lines(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = 0.0
    monkeypatch.setattr(console_module.time, "monotonic", lambda: now)
    view, progress, _ = _view(terminal=False)
    view.listen(StepStarted("images", "Images"))
    for second in range(12):
        now = float(second)
        view.listen(StepProgressed("images", f"layer {second}", 60.0 - second))
    assert progress.getvalue().splitlines()[1:] == [
        "[   5.0 s] images: layer 5 · about 55 s left",
        "[  10.0 s] images: layer 10 · about 50 s left",
    ]


def test_without_a_terminal_a_step_that_waits_repeats_its_line(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = 0.0
    monkeypatch.setattr(console_module.time, "monotonic", lambda: now)
    view, progress, _ = _view(terminal=False)
    view.listen(StepStarted("images", "Images"))
    for second in (10, 20, 40, 70):
        now = float(second)
        view.listen(StepProgressed("images", "waiting for the disk"))
    assert progress.getvalue().splitlines()[1:] == [
        "[  10.0 s] images: waiting for the disk",
        "[  40.0 s] images: waiting for the disk",
        "[  70.0 s] images: waiting for the disk",
    ]


def test_on_a_terminal_what_is_waited_for_before_the_first_step_is_shown() -> None:
    view, progress, _ = _view(terminal=True)
    view.listen(StepProgressed("turn", "waiting for another run"))
    view._steps._live.refresh()  # type: ignore[union-attr]
    assert "waiting for another run" in progress.getvalue()
    progress.truncate(0)
    view.listen(StepStarted("images", "Images"))
    view._steps._live.refresh()  # type: ignore[union-attr]
    view.close()
    assert "waiting for another run" not in progress.getvalue()


def test_on_a_terminal_the_running_step_shows_what_it_reports_and_then_its_end() -> None:
    view, progress, _ = _view(terminal=True)
    view.listen(StepStarted("images", "Images"))
    view.listen(StepProgressed("images", "layer 1 of 3", 30.0))
    view._steps._live.refresh()  # type: ignore[union-attr]
    view.listen(ENDED)
    view.close()
    shown = progress.getvalue()
    assert "layer 1 of 3 · about 30 s left" in shown
    assert "✓ Images  changed  12 s  built 3" in shown


# The longest titles of steps, and the longest objects of the chart in staging.
TITLES = (
    "Images of data and packages",
    "Leftovers of earlier drills",
    "Redis operator (Spotahome)",
    "Snapshot of cluster vrooli",
)
OBJECTS = (
    "VaultStaticSecret/vrooli-secrets-shared-server-jobs",
    "PostgresCluster/vrooli-staging-postgresql",
)


@pytest.mark.parametrize("width", [80, 100])
def test_on_a_terminal_a_long_detail_is_cut_and_no_title_or_object(width: int) -> None:
    view, _, _ = _view(terminal=True)
    for title in TITLES:
        view.listen(StepStarted(title, title))
        view.listen(StepProgressed(title, "compiling google.golang.org/grpc/health " * 5, 2003.0))
    for name in OBJECTS:
        view.listen(ObjectProgressed(TITLES[0], name, ObjectState.WAITING, "0 of 1 pods, " * 20))
    out = io.StringIO()
    Console(file=out, width=width).print(view._steps._render())  # type: ignore[union-attr]
    view.close()
    rows = out.getvalue().splitlines()
    for row, title in zip(rows, TITLES, strict=False):
        # A spinner, the title, the time, and as much of the detail as there is room for.
        assert re.fullmatch(rf"[\u2800-\u28ff] {re.escape(title)} +0\.\d s compiling .*…", row)
    for row, name in zip(rows[len(TITLES) :], OBJECTS, strict=True):
        assert re.fullmatch(rf"  … {re.escape(name)} +0 of .*…", row)
    assert {len(row) for row in rows} == {width}


def test_on_a_terminal_the_cursor_is_back_once_no_step_runs() -> None:
    view, progress, _ = _view(terminal=True)
    view.listen(StepStarted("images", "Images"))
    view.listen(ENDED)
    assert progress.getvalue().rstrip("\x1b[2K\r\n1A").endswith("\x1b[?25h")


def test_log_lines_go_where_results_go_as_they_were_written() -> None:
    view, progress, results = _view(terminal=False)
    view.listen(LogLine("server-1", "[info] a very " + "long " * 40 + "line"))
    assert progress.getvalue() == ""
    assert results.getvalue() == "server-1  [info] a very " + "long " * 40 + "line\n"


def _coloured(component: str) -> str:
    """A line of a log as a terminal with colours gets it."""
    results = io.StringIO()
    view = ConsoleView(
        Console(file=io.StringIO()),
        Console(file=results, force_terminal=True, color_system="standard", width=100),
    )
    view.listen(LogLine("pod-1", "a line", component))
    return results.getvalue()


def test_log_lines_have_the_colour_of_their_component_and_their_text_has_none() -> None:
    components = ("server", "jobs", "ui", "nsfwDetector", "adminer", "postgres", "redis")
    lines = {name: _coloured(name) for name in components}
    for line in lines.values():
        assert re.fullmatch(r"\x1b\[(3[1-7]|9[1-7])mpod-1\x1b\[0m  a line\n", line)
    assert len({lines[name] for name in ("server", "jobs", "ui")}) == 3
    assert _coloured("server") == lines["server"]


def test_log_lines_of_no_component_have_no_colour() -> None:
    assert _coloured("") == "pod-1  a line\n"


def test_steps_end_in_a_table_and_a_line_that_reports_whether_any_change_changed() -> None:
    out = io.StringIO()
    step = StepResult.of(ENDED)
    console = Console(file=out, width=100)
    show_steps(StepsResult(changed=True, elapsed_s=12.3, steps=(step,)), console)
    show_steps(StepsResult(changed=False, elapsed_s=0.5, steps=()), console)
    lines = [line.split() for line in out.getvalue().splitlines() if line.strip()]
    assert ["Images", "changed", "12", "s", "built", "3"] in lines
    assert ["Done,", "12", "s."] in lines
    assert "Nothing to do" in out.getvalue().splitlines()[-1]


def _steps_printed(progress: TextIO, results: TextIO, *, terminal: bool = False) -> None:
    """Print the end of a step and the result."""
    view = ConsoleView(
        Console(file=progress, force_terminal=terminal, color_system=None, width=100),
        Console(file=results, width=100),
    )
    view.listen(ENDED)
    view.result(
        StepsResult(changed=True, elapsed_s=12.3, steps=(StepResult.of(ENDED),)), show_steps
    )


def test_a_log_of_both_outputs_has_each_step_once(tmp_path: Path) -> None:
    log = tmp_path / "log"
    with log.open("a") as progress, log.open("a") as results:
        _steps_printed(progress, results)
    assert log.read_text() == "✓ Images  changed  12 s  built 3\n\nDone, 12 s.\n"


def test_outputs_in_two_files_each_have_the_steps(tmp_path: Path) -> None:
    with (tmp_path / "err").open("w") as progress, (tmp_path / "out").open("w") as results:
        _steps_printed(progress, results)
    assert "Images  changed  12 s" in (tmp_path / "err").read_text()
    assert "Images  changed  12 s" in (tmp_path / "out").read_text()


def test_on_a_terminal_the_steps_end_in_a_table(tmp_path: Path) -> None:
    log = tmp_path / "log"
    with log.open("a") as progress, log.open("a") as results:
        _steps_printed(progress, results, terminal=True)
    assert log.read_text().count("Images  changed  12 s") == 2


def test_booleans_in_tables_are_marks_and_brackets_are_no_markup() -> None:
    out = io.StringIO()
    rows = [(True, "a [b]"), (False, None)]
    show_rows("T", ("", "name"), rows, Console(file=out, width=60))
    assert [line.split() for line in out.getvalue().splitlines()[3:]] == [
        ["✓", "a", "[b]"],
        ["✗"],
    ]


def test_without_a_terminal_each_change_of_an_object_is_a_line_but_not_what_was_ready() -> None:
    view, progress, _ = _view(terminal=False)
    view.listen(StepStarted("healthy", "Healthy release"))
    view.listen(ObjectProgressed("healthy", "Ingress/a", ObjectState.READY, "any host"))
    view.listen(ObjectProgressed("healthy", "Deployment/b", ObjectState.WAITING, "0 of 1 pods"))
    view.listen(ObjectProgressed("healthy", "Deployment/b", ObjectState.READY, "1 of 1 pods"))
    view.close()
    lines = progress.getvalue().splitlines()
    assert [line.partition("] ")[2] for line in lines] == [
        "Healthy release …",
        "… Deployment/b: 0 of 1 pods",
        "✓ Deployment/b: 1 of 1 pods",
    ]


def test_on_a_terminal_every_object_has_a_row_below_its_step() -> None:
    view, progress, _ = _view(terminal=True)
    view.listen(StepStarted("healthy", "Healthy release"))
    view.listen(ObjectProgressed("healthy", "Ingress/a", ObjectState.READY, "any host"))
    view.listen(ObjectProgressed("healthy", "Deployment/b", ObjectState.FAILED, "0 of 1 pods"))
    view.close()
    shown = progress.getvalue()
    assert "✓ Ingress/a    any host" in shown
    assert "✗ Deployment/b 0 of 1 pods" in shown
