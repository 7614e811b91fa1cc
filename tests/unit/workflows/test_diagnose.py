"""What a diagnosis says in the end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from support.evidence import evidence
from support.recorded import contents
from vrooli.diagnosis import named
from vrooli.diagnosis.bundle import Contents
from vrooli.diagnosis.interface import Diagnosis
from vrooli.environments import ENVIRONMENTS
from vrooli.events import silent
from vrooli.redaction import Redactor
from vrooli.release import Release
from vrooli.workflows import access, diagnose
from vrooli.workflows.access import Access

NOTHING = Diagnosis(causes=(), unseen=())
RELEASE = Release("vrooli-dev", "dev", Path("kubeconfig"))


def test_who_could_see_no_pods_does_not_say_that_all_is_well() -> None:
    seen = replace(evidence(), objects={})
    found = replace(contents(seen, Redactor()), diagnosis=NOTHING)
    assert not diagnose.result(RELEASE, found, None, 1.0).ok


def test_nothing_found_in_what_was_seen_is_well() -> None:
    found = replace(contents(evidence(), Redactor()), diagnosis=NOTHING)
    assert diagnose.result(RELEASE, found, None, 1.0).ok


def _asked(
    monkeypatch: pytest.MonkeyPatch, found: str | None, namespace: str | None, **words: str
) -> tuple[str, str]:
    """Which release is looked at in which namespace, where one of our chart is called so."""

    @asynccontextmanager
    async def connect(text: str | None) -> AsyncIterator[Access]:
        cluster = SimpleNamespace(kubeconfig=Path("kubeconfig"))
        yield Access(cast(Any, cluster), cast(Any, None))

    async def only(kube: object, place: str) -> str | None:
        return found

    async def examine(kube: object, release: Release, *, everything: bool) -> Contents:
        return replace(contents(evidence(), Redactor()), diagnosis=NOTHING)

    monkeypatch.setattr(access, "connect", connect)
    monkeypatch.setattr(named, "only", only)
    monkeypatch.setattr(diagnose, "examine", examine)
    said = asyncio.run(diagnose.diagnose(ENVIRONMENTS["dev"], namespace, None, silent, **words))
    return said.release, said.namespace


def test_a_release_can_be_named_and_its_namespace_too(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = _asked(monkeypatch, "vrooli-staging", "staging", name="vrooli-dev")
    assert asked == ("vrooli-dev", "staging")
    assert _asked(monkeypatch, "other", None, name="mine") == ("mine", "dev")


@pytest.mark.parametrize(
    ("found", "namespace", "asked"),
    [
        ("vrooli-dev", "staging", ("vrooli-dev", "staging")),
        (None, "staging", ("vrooli-staging", "staging")),
        (None, "elsewhere", ("vrooli-dev", "elsewhere")),
        ("other", None, ("vrooli-dev", "dev")),
    ],
)
def test_without_a_name_a_namespaces_one_release_is_meant(
    monkeypatch: pytest.MonkeyPatch,
    found: str | None,
    namespace: str | None,
    asked: tuple[str, str],
) -> None:
    assert _asked(monkeypatch, found, namespace) == asked
