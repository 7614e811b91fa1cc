"""How results look for a person; shared by the commands. Only called once there is a result."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

    from vrooli.workflows.results import ClusterView, MissingView, Result, StepsResult


def duration(seconds: float) -> str:
    """Seconds as a person reads them: 0.4 s, 12 s, 3 min 05 s."""
    if seconds < 10:  # noqa: PLR2004 - below ten, tenths matter
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02d} s" if minutes else f"{rest} s"


def show_nothing(result: Result, console: Console) -> None:
    """For commands whose events were all they had to say."""


def show_steps(result: StepsResult, console: Console) -> None:
    """Each step with its outcome and time, and all of it in one line."""
    show_rows(
        "Steps",
        ("step", "outcome", "time", "detail"),
        [
            (step.title, step.outcome.value, duration(step.elapsed_s), step.detail)
            for step in result.steps
        ],
        console,
    )
    said = "Done" if result.changed else "Nothing to do: everything was as it should be"
    console.print(f"\n{said}, {duration(result.elapsed_s)}.")


def show_cluster(cluster: ClusterView, console: Console) -> None:
    """A cluster's state and its components."""
    said = " ".join(filter(None, (cluster.kind, cluster.name, cluster.version)))
    console.print(f"Cluster {said}: {cluster.state}")
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
    """What a person can open."""
    if urls:
        console.print()
    width = max((len(name) for name in urls), default=0)
    for name, url in urls.items():
        console.print(f"  {name:<{width}}  {url}")


def show_problems(problems: Iterable[str], console: Console) -> None:
    """What isn't healthy, or that all is."""
    lines = [f"  ✗ {problem}" for problem in problems]
    console.print("\n" + ("\n".join(lines) if lines else "Everything is healthy."), markup=False)


def show_missing(missing: Sequence[MissingView], console: Console) -> None:
    """What is needed and couldn't be seen, with what to do; nothing where all was seen."""
    if missing:
        console.print("Could not be determined: what is needed was not all seen.", style="bold")
    for item in missing:
        console.print(f"  ? {item.what}: {item.why}", style="yellow", markup=False)
    for advice in dict.fromkeys(item.advice for item in missing if item.advice):
        console.print(f"    {advice}", style="green", markup=False)


def show_rows(
    title: str,
    columns: Sequence[str],
    rows: Sequence[Sequence[object]],
    console: Console,
) -> None:
    """A table; booleans become marks. Nothing at all when there are no rows."""
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
