"""A live graph of which an arrow could not be looked at doesn't say that none is broken."""

from __future__ import annotations

from dataclasses import replace

import pytest

from support.fakes import graph_snapshots
from vrooli.environments import ENVIRONMENTS
from vrooli.findings import Verdict
from vrooli.graph.live import state as live_state
from vrooli.graph.live.snapshot import GraphSnapshot
from vrooli.graph.model import State
from vrooli.redaction import Redactor
from vrooli.workflows.graphs.graph import FROM_RELEASE, GraphOptions, Source, _result, drawn
from vrooli.workflows.results.graphs import GraphResult

LIVE = GraphOptions(ENVIRONMENTS["dev"], live=True)
SOURCE = Source(graph_snapshots.release(), FROM_RELEASE)
DIAGRAMS = drawn(LIVE, SOURCE)
WELL = graph_snapshots.healthy(SOURCE.manifests, DIAGRAMS)


def said(seen: GraphSnapshot, source: Source = SOURCE, options: GraphOptions = LIVE) -> GraphResult:
    judged = live_state.evaluate(DIAGRAMS, seen, Redactor()) if options.live else {}
    return _result(options, source, DIAGRAMS, judged)


def test_where_every_arrow_was_seen_and_none_is_broken_all_is_well() -> None:
    result = said(WELL)
    assert (result.verdict, result.exit_code, result.missing) == (Verdict.HEALTHY, 0, ())


@pytest.mark.parametrize("kind", ["Pod", "Ingress", "VaultStaticSecret"])
def test_an_arrow_that_could_not_be_looked_at_leaves_it_open(kind: str) -> None:
    why = "no answer within 60 s"
    blind = said(graph_snapshots.refused(WELL, kind, why=why))
    assert (blind.ok, blind.verdict, blind.exit_code) == (False, Verdict.UNKNOWN, 3)
    arrows = {
        f"arrow {arrow.source} → {arrow.target}"
        for diagram in blind.diagrams
        for arrow in diagram.arrows
        if arrow.state == State.UNKNOWN
    }
    assert {item.resource for item in blind.missing} == arrows
    assert len(blind.missing) == len(arrows) > 0
    assert all(item.reason for item in blind.missing)
    assert any(why in item.reason for item in blind.missing)


def test_a_broken_arrow_decides_whatever_was_not_seen() -> None:
    without = replace(WELL, objects={**WELL.objects, "Secret": []})
    broken = said(graph_snapshots.refused(without, "Ingress", why="no right"))
    assert (broken.verdict, broken.exit_code) == (Verdict.PROBLEMS, 1)
    assert broken.missing


def test_a_release_that_could_not_be_read_leaves_it_open() -> None:
    unread = said(WELL, replace(SOURCE, unknown=("Helm's record can't be read",)))
    assert (unread.verdict, unread.missing[0].resource) == (Verdict.UNKNOWN, "the release")


def test_what_is_drawn_from_values_is_not_judged() -> None:
    result = said(WELL, options=replace(LIVE, live=False))
    assert (result.verdict, result.exit_code) == (Verdict.HEALTHY, 0)
