"""Commands that only read, with the roles that docs/compatibility.md names and nothing else."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import yaml

from support.cluster import accounts
from support.cluster.accounts import Command
from support.cluster.live import Live
from vrooli.kube import Kube

pytestmark = [pytest.mark.root, pytest.mark.anyio]

NAME = "reader"
CLUSTER, PLATFORM = "vrooli-cluster-reader", "vrooli-platform-reader"
# Where k8s/rbac/namespace-administrator.yaml says to bind the second one.
PLACES = (
    "postgres-operator",
    "redis-operator",
    "vault-secrets-operator-system",
    "vault",
    "kube-system",
)
COMMANDS = (
    ("status",),
    ("diagnose",),
    ("graph", "--live", "--format", "json"),
    ("check", "--check-only"),
)


@pytest.fixture
async def readers(live: Live, kube: Kube) -> AsyncIterator[None]:
    """Both ClusterRoles, bound to an account of the release's namespace."""
    namespace = live.environment.namespace
    roles = yaml.safe_load_all(accounts.ROLES.read_text())
    for body in roles:
        if body["kind"] == "ClusterRole":
            await kube.apply(body)
    await accounts.bind(kube, NAME, namespace, CLUSTER)
    await accounts.bind(kube, NAME, namespace, PLATFORM, *PLACES)
    yield
    await accounts.unbind(kube, NAME, CLUSTER)
    await accounts.unbind(kube, NAME, PLATFORM, *PLACES)
    for role in (CLUSTER, PLATFORM):
        await kube.delete(f"{accounts.GROUP}/v1", "ClusterRole", role)


async def _reader(live: Live, kube: Kube, folder: Path, names: tuple[str, ...]) -> Command:
    """The command line of the account with these Roles of the namespace."""
    kubeconfig = await accounts.kubeconfig_of(
        NAME,
        [rule for name in names for rule in accounts.roles()[name]],
        live.environment.namespace,
        kube=kube,
        source=live.kubeconfig,
        folder=folder,
    )
    return Command(kubeconfig, folder / "state", live.environment.name)


async def test_with_the_readers_and_the_role_of_the_namespace_one_arrow_is_missing(
    live: Live, kube: Kube, readers: None, tmp_path: Path
) -> None:
    user = await _reader(live, kube, tmp_path, ("vrooli", "vrooli-optional-kinds"))
    code, status = await user.json("status")
    assert (code, status["verdict"], status["missing"]) == (0, "healthy", []), status
    code, diagnosis = await user.json("diagnose")
    assert (code, diagnosis["verdict"], diagnosis["missing"]) == (0, "healthy", []), diagnosis
    drawn = await user.run("graph", "--live", "--format", "json")
    # No role lets its user run programs in the pod of Vault's operator.
    missing = [item["resource"] for item in json.loads(drawn.output)["missing"]]
    assert missing == ["arrow Vault → VSO"], drawn.output + drawn.log
    values = [word for file in live.values for word in ("--values", str(file))]
    code, checked = await user.json("check", "--check-only", *values)
    assert (code, checked["verdict"]) == (0, "healthy"), checked


@pytest.mark.parametrize("words", COMMANDS, ids=lambda words: words[0])
async def test_with_the_readers_alone_each_command_names_what_it_could_not_read(
    live: Live, kube: Kube, readers: None, tmp_path: Path, words: tuple[str, ...]
) -> None:
    user = await _reader(live, kube, tmp_path, ())
    done = await user.run(*words)
    output = done.output + done.log
    assert done.status != 0, output
    assert "Traceback" not in output
    assert "permission" in output, output
    assert live.environment.namespace in output, output
