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

from support.diagnosis.evidence import evidence
from support.secrets.recorded_failure import contents
from vrooli.diagnosis.bundle.archive import Contents
from vrooli.diagnosis.interface import Cause, Diagnosis
from vrooli.environments import ENVIRONMENTS
from vrooli.events import silent
from vrooli.findings import Finding, Verdict
from vrooli.kube.objects import Ref
from vrooli.kube.unavailable import Unavailable
from vrooli.redaction import Redactor
from vrooli.release import Release
from vrooli.release.records import discovery
from vrooli.workflows.clusters import access
from vrooli.workflows.clusters.access import Access
from vrooli.workflows.health import diagnose

NOTHING = Diagnosis(causes=(), unavailable=())
RELEASE = Release("vrooli-dev", "dev", Path("kubeconfig"))


def test_who_could_read_no_pods_does_not_report_that_all_is_healthy() -> None:
    snapshot = replace(evidence(), objects={})
    message = diagnose.result(RELEASE, contents(snapshot, Redactor()), None, 1.0)
    assert (message.ok, message.verdict, message.exit_code) == (False, Verdict.UNKNOWN, 3)
    assert [item.resource for item in message.missing] == ["Pod in dev"]


LATE = Unavailable(
    "Service in dev", "no answer within 60 s", "Wait longer.", place=("Service", "dev")
)
CAUSE = Cause(Finding("crash-loop", "Deployment/x", "crashes"), Ref("Deployment", "x", "dev"))


@pytest.mark.parametrize(
    ("causes", "missing", "verdict", "code"),
    [
        ((), (), Verdict.HEALTHY, 0),
        ((CAUSE,), (), Verdict.PROBLEMS, 1),
        ((), (LATE,), Verdict.UNKNOWN, 3),
        ((CAUSE,), (LATE,), Verdict.PROBLEMS, 1),
    ],
)
def test_a_problem_is_one_regardless_of_what_was_not_read_and_healthy_is_only_what_was(
    causes: tuple[Cause, ...], missing: tuple[Unavailable, ...], verdict: Verdict, code: int
) -> None:
    reported = Diagnosis(causes=causes, unavailable=missing, missing=missing)
    found = replace(contents(evidence(), Redactor()), diagnosis=reported)
    message = diagnose.result(RELEASE, found, None, 1.0)
    assert (message.verdict, message.exit_code, message.ok) == (verdict, code, code == 0)
    assert [item.reason for item in message.missing] == [item.reason for item in missing]
    assert [item.advice for item in message.missing] == [item.advice for item in missing]


def test_no_finding_in_what_was_read_is_healthy() -> None:
    found = replace(contents(evidence(), Redactor()), diagnosis=NOTHING)
    assert diagnose.result(RELEASE, found, None, 1.0).ok


def _asked(
    monkeypatch: pytest.MonkeyPatch, found: str | None, namespace: str | None, **words: Any
) -> tuple[str, str]:
    """Which release is looked at in which namespace, where one of our chart is called so."""

    @asynccontextmanager
    async def connect(text: str | None) -> AsyncIterator[Access]:
        cluster = SimpleNamespace(kubeconfig=Path("kubeconfig"))
        yield Access(cast(Any, None), cast(Any, cluster), cast(Any, None))

    async def only(kube: object, place: str) -> str | None:
        return found

    async def examine(kube: object, release: Release, **settings: object) -> Contents:
        return replace(contents(evidence(), Redactor()), diagnosis=NOTHING)

    monkeypatch.setattr(access, "connect", connect)
    monkeypatch.setattr(discovery, "find_only_release", only)
    monkeypatch.setattr(diagnose, "examine", examine)
    options = diagnose.DiagnoseOptions(ENVIRONMENTS["dev"], namespace, **words)
    result = asyncio.run(diagnose.diagnose(options, silent))
    return result.release, result.namespace


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
def test_without_a_name_a_namespaces_one_release_is_used(
    monkeypatch: pytest.MonkeyPatch,
    found: str | None,
    namespace: str | None,
    asked: tuple[str, str],
) -> None:
    assert _asked(monkeypatch, found, namespace) == asked
