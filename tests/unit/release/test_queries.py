"""The queries of a rollout."""

from __future__ import annotations

from vrooli.release.rollout import queries


def test_events_are_selected_by_their_fields() -> None:
    kinds = [queries.PODS, queries.EVENT, ("secrets.hashicorp.com/v1beta1", "VaultStaticSecret")]
    every = queries.queries(kinds, "dev")
    assert {query.labels for query in every} == {None}
    events = {query.fields for query in every if query.kind == "Event"}
    assert events == {queries.PROBES, queries.CREATION, queries.REFUSED, *queries.SCALING}
    assert {query.fields for query in every if query.kind != "Event"} == {None}
