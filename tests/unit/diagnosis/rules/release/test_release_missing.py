"""The rules namespace-missing, release-missing."""

from __future__ import annotations

from dataclasses import replace

from support.diagnosis.evidence import diagnosed, evidence, found, pod
from support.objects.cluster import names
from vrooli.diagnosis.rules.release import release_missing
from vrooli.release.records.storage import Revision


def test_a_namespace_or_a_release_that_is_not_there_is_told() -> None:
    nowhere = replace(evidence(), namespace="nowhere", helm=Revision())
    (cause,) = diagnosed(nowhere).causes
    assert (cause.finding.rule_id, cause.finding.resource) == (
        "namespace-missing",
        "Namespace/nowhere",
    )
    assert "available: dev" in cause.finding.message
    empty = replace(evidence(), helm=Revision())
    assert names(empty) == ["release-missing"]
    assert diagnosed(empty).causes[0].finding.command == "vrooli develop"


def test_a_release_that_could_not_be_looked_at_is_not_called_missing() -> None:
    seen = replace(evidence(), helm=Revision(), hidden={("Secret", "dev")})
    assert not found(release_missing.RELEASE_MISSING, seen)
    assert not found(release_missing.RELEASE_MISSING, evidence(pod("x")))
