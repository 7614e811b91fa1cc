"""Formats results as text; shared by the commands."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from vrooli.grammar import counted

if TYPE_CHECKING:
    from rich.console import Console

    from vrooli.workflows.results.base import MissingView, PackagesView, Result, StepsResult
    from vrooli.workflows.results.clusters import ClusterView
    from vrooli.workflows.results.releases import OverrideView


def duration(seconds: float) -> str:
    """Format seconds: 0.4 s, 12 s, 3 min 05 s."""
    if seconds < 10:  # noqa: PLR2004 - below ten, tenths matter
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02d} s" if minutes else f"{rest} s"


def show_empty(result: Result, console: Console) -> None:
    """Print nothing: the command has printed its events."""


def show_steps(result: StepsResult, console: Console) -> None:
    """Print each step with its outcome and time, then the total time."""
    show_rows(
        "Steps",
        ("step", "outcome", "time", "detail"),
        [
            (step.title, step.outcome.value, duration(step.elapsed_s), step.detail)
            for step in result.steps
        ],
        console,
    )
    text = "Done" if result.changed else "Nothing to do: everything is up to date"
    console.print(f"\n{text}, {duration(result.elapsed_s)}.")


def show_cluster(cluster: ClusterView, console: Console) -> None:
    """Print the state of a cluster and its components."""
    text = " ".join(filter(None, (cluster.kind, cluster.name, cluster.version)))
    detail = f" ({cluster.detail})" if cluster.detail else ""
    console.print(f"Cluster {text}: {cluster.state}{detail}")
    show_rows(
        "Components",
        ("", "name", "state", "pid", "restarts", "detail"),
        [
            (item.state == "running", item.name, item.state, item.pid, item.restarts, item.detail)
            for item in cluster.components
        ],
        console,
    )


def show_urls(urls: Mapping[str, str], console: Console) -> None:
    """Print the URLs."""
    if urls:
        console.print()
    width = max((len(name) for name in urls), default=0)
    for name, url in urls.items():
        console.print(f"  {name:<{width}}  {url}")


def show_overrides(overrides: Sequence[OverrideView], console: Console) -> None:
    """Print the values that commands have set for the release, and by whom."""
    show_rows(
        "Overrides",
        ("value", "", "command", "user", "time"),
        [
            (
                item.path,
                item.value,
                item.command,
                f"{item.set_by} on {item.set_from}",
                f"{item.set_at:%Y-%m-%d %H:%M:%S}",
            )
            for item in overrides
        ],
        console,
    )


def show_notes(notes: Iterable[str], console: Console) -> None:
    """Print what is worth knowing and is no problem."""
    for note in notes:
        console.print(f"Note: {note}.", style="yellow", markup=False)


def show_problems(problems: Iterable[str], console: Console) -> None:
    """Print the problems, or that everything is healthy."""
    lines = [f"  ✗ {problem}" for problem in problems]
    console.print("\n" + ("\n".join(lines) if lines else "Everything is healthy."), markup=False)


def show_missing(missing: Sequence[MissingView], console: Console) -> None:
    """Print required data that could not be read, with remediation."""
    if missing:
        console.print("Result incomplete:", style="bold")
    for item in missing:
        console.print(f"  ? {item.resource}: {item.reason}", style="yellow", markup=False)
    for advice in dict.fromkeys(item.advice for item in missing if item.advice):
        console.print(f"    {advice}", style="green", markup=False)


def show_packages(packages: PackagesView | None, console: Console) -> None:
    """Print one line about security updates and known vulnerabilities."""
    if packages is None:
        return
    names = {update.partition(" ")[0] for update in packages.updates}
    parts = []
    if names:
        parts.append(
            f"security updates of {counted(len(names), 'package')} in the images: run "
            "`vrooli setup --update-images`"
        )
    if packages.vulnerabilities:
        parts.append(
            f"known vulnerabilities: {len(packages.vulnerabilities)}, see "
            "`vrooli test --suite vulnerabilities`"
        )
    if packages.unchecked:
        parts.append(f"not checked: {', '.join(packages.unchecked)}")
    text = "; ".join(parts) or "no missing security updates, no known vulnerabilities"
    console.print(f"\nPackages: {text} ({packages.looked_up_at:%Y-%m-%d})", markup=False)


def show_rows(
    title: str,
    columns: Sequence[str],
    rows: Sequence[Sequence[object]],
    console: Console,
) -> None:
    """Print a table, with booleans as marks. Print nothing if there are no rows."""
    from rich.table import Table
    from rich.text import Text

    if not rows:
        return
    table = Table(title=title, title_justify="left", title_style="bold", box=None, pad_edge=False)
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*(Text(*_cell(value)) for value in row))
    console.print()
    console.print(table, soft_wrap=False)


def _cell(value: object) -> tuple[str, str]:
    if isinstance(value, bool):
        return ("✓", "green") if value else ("✗", "red")
    return ("" if value is None else str(value), "")
