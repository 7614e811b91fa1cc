"""The rendered chart, applied again and again by a GitOps controller, changes nothing.

Argo CD renders the chart as `helm template` does and applies it with server-side apply and a field
manager of its own; with self-heal it does so whenever an object differs. A value that differs at
each rendering, or a field of the chart that an operator or autoscaler writes, would never settle.
"""

from __future__ import annotations

import asyncio
import os
import socket
import sys
from collections.abc import AsyncIterator, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from support.programs.ports import free_port
from vrooli import process, programs
from vrooli.chart import engine, golden
from vrooli.chart import values as chart_values
from vrooli.chart.manifest import Manifest
from vrooli.errors import WaitTimeoutError
from vrooli.events import Progress
from vrooli.kube import Kube

KUBECTL = Path(sys.prefix) / "bin" / "kubectl"
NAMESPACE, MANAGER = "gitops", "argocd-controller"
# The rounds of self-heal and the seconds between them; Argo CD compares every 30 s.
SHORT, LONG = (3, 0.0), (20, 30.0)
# The time limit of the long test, seconds: ten minutes of rounds, and a loaded machine.
LONG_S = 2400
# Of PGO; the program has no option for it.
METRICS_PORT = 8080
OPERATED = ("PostgresCluster", "RedisFailover", "VaultAuth", "VaultConnection", "VaultStaticSecret")
# What PGO and the Vault Secrets Operator write into first: a finalizer, and the status of an
# address without a Vault. The Redis operator writes into nothing of the chart.
MARKED = ("PostgresCluster", "VaultConnection")
CHANGES = {
    "vso": {"vaultAddr": "http://127.0.0.1:9"},
    "pgoPostgresql": {
        "postgresVersion": 15,  # the newest that the definition of this PGO accepts
        "image": "registry.example.com/postgres:15",
        "pgBouncer": {"image": "registry.example.com/pgbouncer:1"},
        "backup": {"image": "registry.example.com/pgbackrest:2"},
    },
}
NAMESPACE_BODY = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}}
# What the Redis operator reads.
PASSWORD = {
    "apiVersion": "v1",
    "kind": "Secret",
    "metadata": {"name": "vrooli-redis-creds"},
    "stringData": {"password": "of-the-test"},
}
# Prometheus' operator and its definitions are no part of the cluster.
UNKNOWN = ("monitoring.coreos.com/", "keda.sh/")
# Of an operator on a loaded machine until it has read its kinds and written.
SETTLED_S = 180.0
# What a restart by the Vault Secrets Operator and one by the rotator write.
RESTARTS = {
    "vso.secrets.hashicorp.com/restartedAt": "2026-06-01T12:00:00Z",
    "kubectl.kubernetes.io/restartedAt": "2026-06-01T12:00:00+00:00",
}


def rendered() -> list[Manifest]:
    """The release with autoscaling and a Gateway, without Helm's tests, as Argo CD."""
    settings = chart_values.merge(golden.settings("autoscaling"), golden.settings("gateway"))
    settings = chart_values.merge(settings, CHANGES)
    manifests = engine.render(settings, release="demo", namespace=NAMESPACE)
    return [
        item for item in manifests if not item.is_hook and not item.api_version.startswith(UNKNOWN)
    ]


async def apply(kubeconfig: Path, manifests: Iterable[Manifest]) -> None:
    """Apply all with kubectl, as the GitOps controller does."""
    text = golden.write(manifests)
    target = ("--kubeconfig", str(kubeconfig), "--namespace", NAMESPACE)
    flags = ("--server-side", "--force-conflicts", f"--field-manager={MANAGER}")
    await process.run(
        [KUBECTL, *target, "apply", *flags, "--filename", "-"],
        stdin=text,
        timeout_s=120,
    )


async def live(kube: Kube, manifests: Iterable[Manifest]) -> dict[str, dict[str, Any]]:
    """The objects in the cluster, by kind and name."""
    result = {}
    for item in manifests:
        body = await kube.get(item.api_version, item.kind, item.name, NAMESPACE)
        assert body is not None, item.key
        result[item.key] = body
    return result


def own_state(body: dict[str, Any]) -> dict[str, Any]:
    """What the controller has written, and when; and all else but the status."""
    metadata = {key: value for key, value in body["metadata"].items() if key != "resourceVersion"}
    fields = [item for item in metadata.pop("managedFields") if item["manager"] == MANAGER]
    rest = {key: value for key, value in body.items() if key not in ("status", "metadata")}
    return {"metadata": metadata, "fields": fields, **rest}


@asynccontextmanager
async def operators(kubeconfig: Path, folder: Path) -> AsyncIterator[None]:
    """The real operators as processes, which reconcile the objects; no pod of theirs ever runs."""
    names = ("redisoperator", "vault-secrets-operator", "postgres-operator")
    found = await programs.ensure(names, Progress())
    commands = (
        (
            *(found["redisoperator"], "--development", "--kubeconfig", kubeconfig),
            f"--listen-address=127.0.0.1:{free_port()}",
        ),
        # It serves neither metrics nor probes at address 0.
        (
            *(found["vault-secrets-operator"], "--leader-elect=false"),
            *("--metrics-bind-address=0", "--health-probe-bind-address=0"),
        ),
        (found["postgres-operator"],),
    )
    environment = {
        **os.environ,
        "KUBECONFIG": str(kubeconfig),
        "CHECK_FOR_UPGRADES": "false",
        "PGO_TARGET_NAMESPACE": NAMESPACE,
        "OPERATOR_POD_NAME": "vso",
        "POD_NAMESPACE": NAMESPACE,
        "WATCH_NAMESPACE": NAMESPACE,
    }
    async with AsyncExitStack() as stack:
        for command in commands:
            log = stack.enter_context((folder / f"{Path(command[0]).name}.log").open("w"))
            running = await asyncio.create_subprocess_exec(
                *map(str, command), env=environment, stdout=log, stderr=log, cwd=folder
            )
            stack.push_async_callback(_end, running)
        try:
            yield
        except WaitTimeoutError as error:
            for log_file in sorted(folder.glob("*.log")):
                error.add_note(f"{log_file.name}:\n{log_file.read_text()[-2000:]}")
            raise


async def _end(running: asyncio.subprocess.Process) -> None:
    if running.returncode is None:
        running.kill()
    await running.wait()


async def marked(kube: Kube, manifests: Iterable[Manifest]) -> None:
    """Wait until the operators have written into the objects."""

    def reason(body: dict[str, Any] | None) -> str | None:
        is_marked = body and (
            body["metadata"].get("finalizers") or "valid" in body.get("status", {})
        )
        return None if is_marked else "no operator has written into it"

    for item in manifests:
        if item.kind in MARKED:
            place = (item.api_version, item.kind, item.name, NAMESPACE)
            await kube.wait_for(*place, reason, SETTLED_S)


async def disturb(kube: Kube, manifests: Iterable[Manifest]) -> None:
    """What autoscalers and restarts write into Deployments."""
    for item in manifests:
        if item.kind == "Deployment":
            patch: dict[str, Any] = {"spec": {"template": {"metadata": {"annotations": RESTARTS}}}}
            if "replicas" not in item.body["spec"]:
                patch["spec"]["replicas"] = 3
            await kube.patch(item.api_version, item.kind, item.name, NAMESPACE, patch)


def test_two_renderings_are_the_same() -> None:
    first, second = rendered(), rendered()
    assert [item.body for item in first] == [item.body for item in second]
    assert {"HTTPRoute", "HorizontalPodAutoscaler", *OPERATED} <= {item.kind for item in first}


@pytest.mark.parametrize(
    ("rounds", "pause_s"),
    [
        pytest.param(*SHORT, id="short"),
        pytest.param(*LONG, id="long", marks=[pytest.mark.long, pytest.mark.timeout(LONG_S)]),
    ],
)
async def test_self_heal_changes_nothing_after_the_first_round(
    bare_kube: Kube, bare_kubeconfig: Path, tmp_path: Path, rounds: int, pause_s: float
) -> None:
    with socket.socket() as probe:
        if probe.connect_ex(("127.0.0.1", METRICS_PORT)) == 0:
            pytest.skip(f"PGO serves metrics at port {METRICS_PORT} only, which is in use")
    await bare_kube.apply(NAMESPACE_BODY)
    await bare_kube.apply(PASSWORD, namespace=NAMESPACE)
    manifests = rendered()
    async with operators(bare_kubeconfig, tmp_path):
        await apply(bare_kubeconfig, manifests)
        await marked(bare_kube, manifests)
        await disturb(bare_kube, manifests)
        before = await live(bare_kube, manifests)
        for number in range(1, rounds + 1):
            await asyncio.sleep(pause_s)
            await apply(bare_kubeconfig, rendered())
            demand_unchanged(before, await live(bare_kube, manifests), f"round {number}")
        after = await live(bare_kube, manifests)
    server = after["Deployment/demo-server"]["spec"]
    assert RESTARTS.items() <= server["template"]["metadata"]["annotations"].items()


def demand_unchanged(
    before: dict[str, dict[str, Any]], after: dict[str, dict[str, Any]], when: str
) -> None:
    """Require that a round has written nothing; operators may write their own fields."""
    for key, body in before.items():
        assert own_state(after[key]) == own_state(body), f"{key}, {when}"
        if body["kind"] not in OPERATED:
            versions = [item["metadata"]["resourceVersion"] for item in (body, after[key])]
            assert versions[0] == versions[1], f"{key}, {when}"


async def test_a_value_that_differs_at_each_rendering_would_be_noticed(
    bare_kube: Kube, bare_kubeconfig: Path
) -> None:
    await bare_kube.apply(NAMESPACE_BODY)
    config = next(item for item in rendered() if item.kind == "ConfigMap")
    await apply(bare_kubeconfig, [config])
    before = await live(bare_kube, [config])
    changed = dict(config.body, data={**config.body["data"], "RENDERED_AT": "now"})
    await apply(bare_kubeconfig, [Manifest(**{**vars(config), "body": changed})])
    after = await live(bare_kube, [config])
    assert own_state(after[config.key]) != own_state(before[config.key])
