"""Example output for the documentation: results as of real runs, printed by the commands."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from rich.console import Console

from support.diagnosis.evidence import diagnosed, pod, pod_of, well, whole, with_objects
from vrooli.cli import deploy, develop, diagnose, releases
from vrooli.diagnosis import catalog
from vrooli.diagnosis.evidence.model import Answer, Evidence
from vrooli.events import Outcome
from vrooli.findings import Verdict
from vrooli.kube.objects import Ref
from vrooli.workflows.results.base import StepResult
from vrooli.workflows.results.findings import CauseView, DiagnoseResult, FindingView
from vrooli.workflows.results.releases import (
    DeployResult,
    DevelopResult,
    HistoryResult,
    RevisionView,
)

# Columns of a line in the documentation.
WIDTH = 100
DEVELOPED = DevelopResult(
    changed=True,
    elapsed_s=1399,
    steps=tuple(
        StepResult(step=title, title=title, outcome=outcome, elapsed_s=elapsed_s, detail=detail)
        for title, outcome, elapsed_s, detail in (
            ("Host packages", Outcome.CHANGED, 7.7, "installed buildah, conntrack, …"),
            ("Images of data and packages", Outcome.CHANGED, 384, "built base, postgresql, …"),
            ("Images of services", Outcome.CHANGED, 13, "built server, jobs, ui, …"),
            ("Third-party programs", Outcome.CHANGED, 1250, "added kubernetes, runc, …"),
            ("Images of programs", Outcome.CHANGED, 24, "built pause, coredns, traefik, …"),
            ("Build caches", Outcome.CHANGED, 29, "deleted"),
            ("Kubernetes", Outcome.CHANGED, 39, "vrooli is ready"),
            ("PostgreSQL operator (PGO)", Outcome.CHANGED, 6.2, "5.4 (go-module)"),
            ("Redis operator (Spotahome)", Outcome.CHANGED, 8.9, "1.2.4 (go-module)"),
            ("Vault Secrets Operator", Outcome.CHANGED, 9.5, "0.10.0 (go-module)"),
            ("Secrets", Outcome.CHANGED, 17, "OpenBao 2.7.2, mounted secret/, …"),
            ("Images into the cluster", Outcome.CHANGED, 31, "14 images loaded"),
            ("Operators' pods", Outcome.UNCHANGED, 0.1, "all 3 are ready"),
            ("Helm release", Outcome.CHANGED, 2.7, "revision 1 of 55 objects, …"),
            ("Healthy release", Outcome.CHANGED, 51, "14 objects ready after 51 s"),
        )
    ),
    environment="dev",
    release="vrooli-dev",
    namespace="dev",
    cluster="embedded:vrooli",
    kubeconfig="/root/.local/share/vrooli/clusters/vrooli/kubeconfig",
    urls={
        "kubernetes": "https://127.0.0.1:26443",
        "ui": "http://127.0.0.1:28080",
        "adminer": "http://adminer.localhost:28080",
    },
)
DEPLOYED = DeployResult(
    changed=True,
    elapsed_s=21.4,
    steps=(),
    version="1.2.3",
    environment="prod",
    release="vrooli-prod",
    namespace="production",
    cluster="context:my-cluster",
    revision=2,
    changes=(),
)
REVISIONS = HistoryResult(
    release="vrooli-prod",
    namespace="production",
    revisions=tuple(
        RevisionView(
            number=number,
            status=status,
            chart="vrooli-0.1.0",
            time=datetime(2026, 11, 28, 12, minute, 21, tzinfo=UTC),
            description=description,
            outcome=outcome,
            origin="artifact",
            version=version,
            commit=commit,
            deployed_by="ci",
            deployed_from="build-7",
        )
        for number, status, minute, description, outcome, version, commit in (
            (1, "superseded", 4, "ready", "ready", "1.2.2", "9d13223d41"),
            (2, "deployed", 51, "ready", "ready", "1.2.3", "b4418c4f02"),
        )
    ),
)


SECRET = "vrooli-secrets-shared-server-jobs"
VAULT = Ref("Service", "vault", "vault")


def _sealed() -> Evidence:
    """A release whose Vault is sealed, so that server and jobs lack a Secret."""
    observed = whole()
    workloads = ("vrooli-dev-server", "vrooli-dev-jobs")
    waiting = {
        "reason": "CreateContainerConfigError",
        "message": f'secret "{SECRET}" not found',
    }
    pods = [
        pod_of(name, ready=False, phase="Pending", state={"waiting": waiting}) for name in workloads
    ]
    deployments = [
        {**body, "status": {"replicas": 1, "updatedReplicas": 1, "unavailableReplicas": 1}}
        for body in observed.all("Deployment")
        if body["metadata"]["name"] in workloads
    ]
    unsynced = [
        body
        for body in well().all("VaultStaticSecret")
        if body["spec"]["destination"]["name"] == SECRET
    ]
    observed = with_objects(
        observed, pod("vault-0", namespace="vault"), *pods, *deployments, *unsynced
    )
    secrets = [body for body in observed.all("Secret") if body["metadata"]["name"] != SECRET]
    health = json.dumps({"initialized": True, "sealed": True})
    return replace(
        observed,
        objects={**observed.objects, "Secret": secrets},
        answers=(Answer("vault-health", VAULT, health),),
    )


DIAGNOSED = DiagnoseResult(
    ok=False,
    verdict=Verdict.PROBLEMS,
    release="vrooli-dev",
    namespace="dev",
    causes=tuple(
        CauseView(
            finding=FindingView.of(cause.finding),
            consequences=tuple(map(FindingView.of, cause.consequences)),
        )
        for cause in diagnosed(_sealed()).causes
    ),
    unavailable=(),
    rule_count=len(catalog.ALL),
    elapsed_s=4.7,
)
HEALTHY = DIAGNOSED.model_copy(update={"verdict": Verdict.HEALTHY, "causes": ()})

SHOWN: Mapping[str, Callable[[Console], None]] = {
    "develop": partial(develop.show, DEVELOPED, scripts=Path("/root/vrooli/scripts")),
    "deploy": partial(deploy._show, DEPLOYED),
    "history": partial(releases._show_history, REVISIONS),
    "diagnose": partial(diagnose.show, DIAGNOSED),
    "diagnose-healthy": partial(diagnose.show, HEALTHY),
}


def shown(name: str) -> str:
    """Print a result as its command does."""
    out = io.StringIO()
    SHOWN[name](Console(file=out, width=WIDTH, soft_wrap=True, highlight=False))
    lines = (line.rstrip() for line in out.getvalue().strip("\n").splitlines())
    return "\n".join(lines)
