"""A release that has another name than its environment's is found by its chart."""

from __future__ import annotations

from typing import Any, cast

import pytest

from support.release import helm_secrets
from vrooli.errors import VrooliError
from vrooli.kube import ApiError, Kube
from vrooli.release.records import discovery


def _note(release: str, revision: int, chart: str) -> dict[str, Any]:
    told = {"chart": {"metadata": {"name": chart, "version": "0.1.0"}}}
    return {
        "metadata": {
            "name": f"sh.helm.release.v1.{release}.v{revision}",
            "labels": {"name": release, "version": str(revision), "owner": "helm"},
        },
        "data": {"release": helm_secrets.packed(told)},
    }


class Notes:
    """Stands for an API server that has nothing but Helm's notes."""

    def __init__(self, *notes: dict[str, Any], error: VrooliError | None = None) -> None:
        self._notes = {note["metadata"]["name"]: note for note in notes}
        self._error = error

    async def list(self, *words: str, names_only: bool) -> list[dict[str, Any]]:
        del words
        if self._error is not None:
            raise self._error
        assert names_only
        return [{"metadata": note["metadata"]} for note in self._notes.values()]

    async def get(self, api: str, kind: str, name: str, namespace: str) -> dict[str, Any] | None:
        del api, kind, namespace
        return self._notes.get(name)


async def _only(notes: Notes) -> str | None:
    return await discovery.find_only_release(cast(Kube, notes), "staging")


async def test_the_one_release_of_the_chart_is_meant_whatever_it_is_called() -> None:
    theirs = _note("ingress", 1, "traefik")
    ours = [_note("vrooli-dev", number, "vrooli") for number in (9, 10)]
    assert await _only(Notes(theirs, *ours)) == "vrooli-dev"


async def test_the_newest_note_says_whose_chart_it_is() -> None:
    assert await _only(Notes(_note("x", 10, "other"), _note("x", 9, "vrooli"))) is None


@pytest.mark.parametrize("names", [(), ("vrooli-dev", "vrooli-staging")])
async def test_of_none_or_two_none_is_meant(names: tuple[str, ...]) -> None:
    assert await _only(Notes(*(_note(name, 1, "vrooli") for name in names))) is None


async def test_a_note_that_can_not_be_read_is_nobodys() -> None:
    broken = {**_note("x", 1, "vrooli"), "data": {"release": "!"}}
    assert await _only(Notes(broken, _note("vrooli-dev", 1, "vrooli"))) == "vrooli-dev"


async def test_who_may_not_look_gets_the_expected_name() -> None:
    assert await _only(Notes(error=ApiError("list Secrets", 403, "no"))) is None
