"""Drills as JUnit XML and as an HTML page. No I/O."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from vrooli import inert
from vrooli.workflows import junit
from vrooli.workflows.junit import Case, Outcome
from vrooli.workflows.results.drills import BAD, FAILED, PASSED, DrillResult, DrillView

SUITE = "vrooli drill"
_OUTCOMES = {PASSED: Outcome.PASSED, FAILED: Outcome.FAILED}
COLUMNS = (
    *("fault", "verdict", "healthy after", "failed reads", "failed writes"),
    *("PostgreSQL paused", "Redis paused", "lost writes", "diagnosed"),
)
_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; \
base-uri 'none'; form-action 'none'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Drill: {title}</title>
<style>
body {{ font: 1rem/1.5 system-ui, sans-serif; margin: 2rem; }}
.scroll {{ overflow-x: auto; }}
table {{ border-collapse: collapse; }}
caption {{ text-align: left; font-weight: bold; }}
th, td {{ border-bottom: 1px solid; padding: .25rem .75rem; text-align: left; }}
</style>
</head>
<body>
<main>
<h1>Drill of {title}</h1>
<p>{verdict}</p>
<div class="scroll" tabindex="0"><table><caption>Faults</caption>
<thead><tr>{columns}</tr></thead>
<tbody>
{rows}
</tbody></table></div>
{details}
</main>
</body>
</html>
"""


def to_junit(result: DrillResult) -> str:
    """One test case for each fault: skipped if it does not apply."""
    return junit.document(SUITE, map(_case, result.drills), result.elapsed_s)


def _case(view: DrillView) -> Case:
    outcome = _OUTCOMES.get(view.outcome, Outcome.SKIPPED)
    message = "; ".join(view.reasons) or measures(view)
    return Case(view.fault, view.title, outcome, message, measures(view), view.elapsed_s)


def measures(view: DrillView) -> str:
    """What was measured, as lines."""
    return "\n".join(f"{name}: {value}" for name, value in _named(view) if value)


def _named(view: DrillView) -> Iterator[tuple[str, str]]:
    yield "scope", view.scope
    yield "targets", ", ".join(view.targets)
    yield from zip(COLUMNS[2:], cells(view)[2:], strict=True)
    yield "causes", "; ".join(view.causes)


def cells(view: DrillView) -> tuple[str, ...]:
    """The cells of a fault in the table; empty where nothing was measured."""
    requests = view.requests
    return (
        view.title,
        view.outcome,
        _healed(view),
        f"{requests.failed_reads} of {requests.sent}" if requests else "",
        str(requests.failed_writes) if requests else "",
        *(
            f"{view.outages[store].longest_s:.1f} s" if store in view.outages else ""
            for store in ("postgres", "redis")
        ),
        str(sum(view.lost.values())) if view.lost else "",
        _named_after(view),
    )


def _healed(view: DrillView) -> str:
    if view.help_needed:
        return "not alone"
    return f"{view.healed_s:.1f} s" if view.healed_s is not None else ""


def _named_after(view: DrillView) -> str:
    if view.named_s is not None:
        return f"after {view.named_s:.1f} s"
    return "no" if view.diagnoses else ""


def to_page(result: DrillResult) -> str:
    """A page without scripts; every text in it is inert."""
    failed = sum(view.outcome in BAD for view in result.drills)
    load = "under load" if result.loaded else "without load"
    verdict = f"{failed} of {len(result.drills)} faults failed, {load}."
    return _PAGE.format(
        title=inert.html(f"{result.release} in namespace {result.namespace}"),
        verdict=inert.html(verdict),
        columns=_tags("th", COLUMNS),
        rows="\n".join(f"<tr>{_tags('td', cells(view))}</tr>" for view in result.drills),
        details="\n".join(map(_details, result.drills)),
    )


def _details(view: DrillView) -> str:
    lines = (*view.reasons, *(f"cause: {cause}" for cause in view.causes))
    listed = "".join(f"<li>{inert.html(line)}</li>" for line in lines)
    targets = inert.html(", ".join(view.targets))
    return f"<h2>{inert.html(view.title)}</h2>\n<p>{targets}</p>\n<ul>{listed}</ul>"


def _tags(tag: str, texts: Iterable[str]) -> str:
    return "".join(f"<{tag}>{inert.html(text)}</{tag}>" for text in texts)
