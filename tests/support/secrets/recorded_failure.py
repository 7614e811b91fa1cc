"""A release in trouble as it might be recorded, with secrets planted everywhere in it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from support.diagnosis.evidence import (
    DEV,
    NOW,
    happening,
    operators,
    pod_of,
    published,
    rendered,
    vault,
    with_objects,
)
from support.secrets.canaries import Canary
from support.secrets.planted_secrets import COPY, environment
from vrooli.diagnosis import catalog, root_cause
from vrooli.diagnosis.bundle.archive import Contents
from vrooli.diagnosis.bundle.extras import More
from vrooli.diagnosis.evidence.model import Answer, Evidence, LogSource
from vrooli.kube.objects import Ref
from vrooli.kube.unavailable import Unavailable
from vrooli.redaction import Redactor
from vrooli.release.records.storage import ReleaseRecord, Revision

SERVER = "vrooli-dev-server"
WAITING = {"waiting": {"reason": "ImagePullBackOff", "message": "Back-off pulling image"}}
# What a page must show as text, never take for its own.
HOSTILE = '</script><script>document.title="taken"</script><img src=x onerror=alert(1)>'


def planted(canaries: Sequence[Canary]) -> Contents:
    """All that a bundle is made of, with each secret in logs, events, notes and settings."""
    texts = [item.text for item in canaries]
    whole = [text for item in canaries for text in [item.text] if "two lines" not in item.shape]
    redactor = Redactor(
        [item.secret + "/+" * ("url" in item.shape) for item in canaries if item.known]
    )
    sick = pod_of(SERVER, ready=False, state=WAITING, phase="Pending")
    template = _template(whole)
    sick["metadata"]["annotations"] = {
        COPY: json.dumps({"all": whole}),
        "example.com/spec": json.dumps(template),
        "example.com/noted": json.dumps({"all": whole}),
        **{f"example.com/note-{number}": text for number, text in enumerate(whole)},
    }
    sick["spec"]["containers"][0] |= {
        "args": whole,
        "env": environment(whole),
    }
    settings = {
        "kind": "ConfigMap",
        "metadata": {"name": "by-mistake", "namespace": DEV.namespace},
        "data": {f"file-{number}": text for number, text in enumerate(whole)},
    }
    ref = Ref("Pod", sick["metadata"]["name"], DEV.namespace)
    lines = [line for text in texts for line in text.splitlines()]
    source = LogSource(DEV.namespace, ref.name, "server")
    observed = replace(
        with_objects(settled(), sick, settings, *_templated(template)),
        events=[happening(ref, "Failed", text) for text in whole],
        logs={source: lines},
        helm=Revision(2, "failed", "", NOW, whole[0] if whole else ""),
        answers=(Answer("vault-health", Ref("Service", "vault", "vault"), "\n".join(whole)),),
        unavailable=tuple(
            Unavailable(f"thing {number}", text) for number, text in enumerate(whole)
        ),
    )
    more = More(
        logs={source: lines, replace(source, previous=True): lines},
        used={"pods": [{"metadata": {"name": "x"}, "said": whole}]},
        metrics={ref.name: "\n".join(whole)},
        versions={"kubernetes": "v1.37.2"},
        unavailable=tuple(
            Unavailable(f"other {number}", text) for number, text in enumerate(whole)
        ),
    )
    return contents(observed, redactor, more, failure="\n".join(texts))


def _template(texts: Sequence[str]) -> dict[str, Any]:
    """What pods are made from: an environment in each kind of container, and a copy of it all."""
    kinds = ("initContainers", "containers", "ephemeralContainers")
    spec = {kind: [{"name": kind, "env": environment(texts)}] for kind in kinds}
    return {"metadata": {"annotations": {COPY: json.dumps({"spec": spec})}}, "spec": spec}


def _templated(template: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Whatever makes pods, or has an operator make them."""
    specs = {
        **{kind: {"template": template} for kind in ("Deployment", "ReplicaSet", "Job")},
        "CronJob": {"jobTemplate": {"spec": {"template": template}}},
        "RedisFailover": {"redis": {"extraContainers": template["spec"]["containers"]}},
    }
    for kind, spec in specs.items():
        metadata = {"name": f"planted-{kind.lower()}", "namespace": DEV.namespace}
        yield {"kind": kind, "metadata": metadata, "spec": spec}


def settled() -> Evidence:
    """The release's own objects, of which nothing says that one isn't ready."""
    return replace(with_objects(rendered(), *operators(), *published(), vault()), manifests=())


def contents(
    release_evidence: Evidence, redactor: Redactor, more: More | None = None, failure: str = ""
) -> Contents:
    """The contents of a bundle about this evidence."""
    return Contents(
        evidence=release_evidence,
        diagnosis=root_cause.diagnose(release_evidence, catalog.ALL, redactor),
        more=more or More(),
        records=[ReleaseRecord(replace(release_evidence.helm, chart="vrooli-0.1.0"))],
        redactor=redactor,
        failure="\n".join(redactor.lines(failure.splitlines())),
    )
