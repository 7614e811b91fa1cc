"""A release that has another name than its environment's is found by its chart."""

from __future__ import annotations

from typing import Any

import pytest

from support.fakes.cluster import FakeCluster
from support.release import helm_secrets
from vrooli.release.model import secret_name
from vrooli.release.records import discovery, storage


def _record(release: str, revision: int, chart: str) -> dict[str, Any]:
    """Helm's record of a revision in another namespace than the default one."""
    content = {"chart": {"metadata": {"name": chart, "version": "0.1.0"}}}
    return {
        "kind": "Secret",
        "type": storage.TYPE,
        "metadata": {
            "name": secret_name(release, revision),
            "namespace": "staging",
            "labels": {"name": release, "version": str(revision), "owner": "helm"},
        },
        "data": {"release": helm_secrets.packed(content)},
    }


async def _find(*records: dict[str, Any]) -> str | None:
    return await discovery.find_only_release(FakeCluster(*records), "staging")


async def test_the_only_release_of_the_chart_is_selected_by_any_name() -> None:
    other = _record("ingress", 1, "traefik")
    own = [_record("vrooli-dev", number, "vrooli") for number in (9, 10)]
    assert await _find(other, *own) == "vrooli-dev"


async def test_the_newest_record_decides_on_the_chart() -> None:
    assert await _find(_record("x", 10, "other"), _record("x", 9, "vrooli")) is None


@pytest.mark.parametrize("names", [(), ("vrooli-dev", "vrooli-staging")])
async def test_no_release_is_selected_among_none_or_two(names: tuple[str, ...]) -> None:
    assert await _find(*(_record(name, 1, "vrooli") for name in names)) is None


async def test_an_unreadable_record_is_ignored() -> None:
    broken = {**_record("x", 1, "vrooli"), "data": {"release": "!"}}
    assert await _find(broken, _record("vrooli-dev", 1, "vrooli")) == "vrooli-dev"


async def test_no_release_is_selected_without_permission() -> None:
    cluster = FakeCluster(_record("vrooli-dev", 1, "vrooli"))
    cluster.failures.forbid("list", "Secret")
    assert await discovery.find_only_release(cluster, "staging") is None
