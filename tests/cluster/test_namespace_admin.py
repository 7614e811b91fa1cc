"""Each command with a kubeconfig of an administrator of one namespace, who may read nothing else.

The API server runs no pods: what a command reads, changes and says is what is tested here.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from support.cluster import accounts
from support.cluster.accounts import Command
from support.release.artifacts import APPLICATION_ONLY
from vrooli.chart import values
from vrooli.environments import ENVIRONMENTS
from vrooli.events import Progress, silent
from vrooli.kube import Kube
from vrooli.operators import OPERATORS
from vrooli.release import Release, apply

PRODUCTION = ENVIRONMENTS["prod"]
NAMESPACE = PRODUCTION.namespace


@pytest.fixture
async def admin(bare_kube: Kube, bare_kubeconfig: Path, tmp_path: Path) -> Command:
    """The administrator's command line, with a release of two revisions that they deployed."""
    kubeconfig = await accounts.kubeconfig_of(
        "administrator",
        accounts.ADMINISTRATOR,
        NAMESPACE,
        kube=bare_kube,
        source=bare_kubeconfig,
        folder=tmp_path,
    )
    async with await Kube.connect(kubeconfig) as kube:
        for replicas in (1, 2):
            chosen = values.merge(values.load(ENVIRONMENTS["dev"]), APPLICATION_ONLY)
            chosen = values.merge(chosen, {"replicaCount": {"jobs": replicas}})
            release = Release.of(PRODUCTION, kubeconfig)
            done = await apply.ensure(kube, release, chosen, Progress("release", silent))
            assert "pod security unchanged" in done.detail
    return Command(kubeconfig, tmp_path / "state", PRODUCTION.name)


async def test_each_command_works_with_its_namespace_and_names_what_it_could_not_read(
    admin: Command, bare_kube: Kube
) -> None:
    status, check, diagnose, history, diff = await asyncio.gather(
        admin.json("status"),
        admin.json("check", "--check-only", "yes"),
        admin.json("diagnose"),
        admin.json("history"),
        admin.json("diff"),
    )
    code, result = status
    assert (code, result["verdict"], result["release"]["revision"]) == (1, "problems", 2)
    operators = {item["resource"]: item["advice"] for item in result["missing"]}
    assert len(operators) == len(OPERATORS)
    assert all("Ask an administrator for permission to get" in item for item in operators.values())
    assert any(item["name"] == f"{PRODUCTION.release}-server" for item in result["workloads"])

    code, result = check
    states = {item["name"]: (item["state"], item["message"]) for item in result["checks"]}
    assert result["verdict"] != "healthy"
    assert {states[name][0] for name in ("cluster", "namespace", "permissions")} == {"ok"}
    for name in ("storage", "capacity", "ingress", "postgres-operator"):
        assert states[name][0] == "unknown", name
        assert "permission denied" in states[name][1], name

    _, result = diagnose
    # All of the namespace itself is readable.
    assert [item for item in result["missing"] if f"in {NAMESPACE}" in item["resource"]] == []
    # A release that was deployed a moment ago is not healthy before its pods are ready.
    assert result["verdict"] == "unknown"
    assert "Node" in {item["resource"] for item in result["unavailable"]}

    assert (history[0], len(history[1]["revisions"])) == (0, 2)
    assert diff[0] == 0

    # Without a terminal, production is changed with --yes only.
    assert (await admin.json("uninstall", "--yes"))[0] == 0
    assert await bare_kube.list("apps/v1", "Deployment", NAMESPACE) == []
