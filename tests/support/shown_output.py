"""Output that the documentation shows: results of real runs, printed as the commands print them."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import partial

from rich.console import Console

from vrooli.cli import deploy, develop, diagnose, releases
from vrooli.events import Outcome
from vrooli.findings import Verdict
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
    elapsed_s=2122,
    steps=tuple(
        StepResult(step=title, title=title, outcome=outcome, elapsed_s=elapsed_s, detail=detail)
        for title, outcome, elapsed_s, detail in (
            ("Host packages", Outcome.CHANGED, 16, "installed buildah, conntrack, ipset, …"),
            ("Images of services and data", Outcome.CHANGED, 285, "built base, postgresql, …"),
            ("Third-party programs", Outcome.CHANGED, 1963, "made kubernetes, traefik, …"),
            ("Images of programs", Outcome.CHANGED, 14, "built pause, coredns, traefik, …"),
            ("Kubernetes", Outcome.CHANGED, 43, "vrooli is ready"),
            ("PostgreSQL operator (PGO)", Outcome.CHANGED, 5.5, "5.4 (go-module)"),
            ("Redis operator (Spotahome)", Outcome.CHANGED, 9.2, "1.2.4 (go-module)"),
            ("Vault Secrets Operator", Outcome.CHANGED, 9.5, "0.10.0 (go-module)"),
            ("Secrets", Outcome.CHANGED, 14, "OpenBao 2.7.2, wrote 5 policies, …"),
            ("Images into the cluster", Outcome.CHANGED, 47, "7 images loaded"),
            ("Operators' pods", Outcome.UNCHANGED, 0.1, "all 3 are ready"),
            ("Helm release", Outcome.CHANGED, 3.1, "revision 1 of 49 objects, …"),
            ("Healthy release", Outcome.CHANGED, 52, "14 objects ready after 52 s"),
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
            end=end,
            origin="artifact",
            version=version,
            source=source,
            by="ci",
            place="build-7",
        )
        for number, status, minute, description, end, version, source in (
            (1, "superseded", 4, "ready", "ready", "1.2.2", "9d13223d41"),
            (2, "deployed", 51, "ready", "ready", "1.2.3", "b4418c4f02"),
        )
    ),
)


def _finding(rule_id: str, message: str, **more: str | tuple[str, ...]) -> FindingView:
    return FindingView.model_validate(
        {
            "rule_id": rule_id,
            "resource": "RedisFailover/vrooli-rf",
            "message": message,
            "remediation": "",
            "command": "",
            "link": "",
            "evidence": (),
            **more,
        }
    )


WRONGPASS = "AUTH failed: WRONGPASS invalid username-password pair or user is disabled."
DIAGNOSED = DiagnoseResult(
    ok=False,
    verdict=Verdict.PROBLEMS,
    release="vrooli-dev",
    namespace="dev",
    causes=(
        CauseView(
            finding=_finding(
                "redis-wrong-password",
                f"it refuses the password of its Secret ({WRONGPASS})",
                evidence=(f"rfr-vrooli-rf-0: {WRONGPASS}",),
                remediation="A Redis reads its password when it starts: restart it.",
                command="kubectl delete pod rfr-vrooli-rf-0 -n dev",
                link="https://redis.io/docs/latest/commands/auth/",
            ),
            consequences=(_finding("not-ready", "0 of 1 Redis pods are ready"),),
        ),
    ),
    unavailable=(),
    rules=83,
    elapsed_s=4.7,
)
HEALTHY = DIAGNOSED.model_copy(update={"verdict": Verdict.HEALTHY, "causes": ()})

SHOWN: Mapping[str, Callable[[Console], None]] = {
    "develop": partial(develop._show, DEVELOPED),
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
