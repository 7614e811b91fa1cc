"""An object of the release isn't ready: the last word, when no other rule says why."""

from __future__ import annotations

from collections.abc import Iterator

from vrooli.diagnosis.evidence import Evidence
from vrooli.diagnosis.interface import Rule, Symptom
from vrooli.diagnosis.objects import Ref, ref_of
from vrooli.release import readiness
from vrooli.release.readiness import Seen


def find(evidence: Evidence) -> Iterator[Symptom]:
    """Each object of the release that lacks something, in the words of a deploy."""
    seen = Seen(
        {
            (kind, ref_of(body).name): body
            for kind in evidence.objects
            for body in evidence.all(kind)
        }
    )
    wanted = [item for item in evidence.wanted if not item.is_hook and evidence.has_seen(item.kind)]
    for manifest in wanted:
        lack = readiness.lack(manifest, seen)
        if lack is None:
            continue
        ref = Ref(manifest.kind, manifest.name, evidence.namespace)
        yield Symptom(
            about=ref,
            found=f"isn't ready: {lack}",
            remedy="See what it waits for; when it doesn't change, say what it shows.",
            command=f"kubectl describe {ref.words}",
            evidence=tuple(str(event) for event in evidence.events_of(ref)[-3:]),
        )


RULE = Rule(name="not-ready", title="an object of the release isn't ready", find=find)
