"""What a diagnosis says in the end."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from support.evidence import evidence
from support.recorded import contents
from vrooli.diagnosis.interface import Diagnosis
from vrooli.redaction import Redactor
from vrooli.release import Release
from vrooli.workflows import diagnose

NOTHING = Diagnosis(causes=(), unseen=())
RELEASE = Release("vrooli-dev", "dev", Path("kubeconfig"))


def test_who_could_see_no_pods_does_not_say_that_all_is_well() -> None:
    seen = replace(evidence(), objects={})
    found = replace(contents(seen, Redactor()), diagnosis=NOTHING)
    assert not diagnose.result(RELEASE, found, None, 1.0).ok


def test_nothing_found_in_what_was_seen_is_well() -> None:
    found = replace(contents(evidence(), Redactor()), diagnosis=NOTHING)
    assert diagnose.result(RELEASE, found, None, 1.0).ok
