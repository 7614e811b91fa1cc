"""Checks of a healthy release find nothing, and each fault that is made is found."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest

from support.cluster import vault_admin, workload
from support.cluster.live import Live
from support.fakes.check_site import names
from vrooli import project
from vrooli.chart import engine, values
from vrooli.checks import catalog, probe_objects, runner
from vrooli.checks.interface import Check, Outcome, Site, State
from vrooli.events import silent
from vrooli.kube import Kube, Manifest
from vrooli.operators.model import INSTALL_COMMAND
from vrooli.vault import policies, server
from vrooli.vault.client import VaultClient
from vrooli.workflows.checks.check import CheckOptions, check
from vrooli.workflows.clusters import access

pytestmark = pytest.mark.root

GONE_S = 60.0
# A busy machine may take too long for a check.
ATTEMPTS = 3
RBAC = "rbac.authorization.k8s.io/v1"
OF_VAULT = tuple(check for check in catalog.ALL if check.name.startswith("vault"))
SEEN_NEEDLESS = {"gateway", "registry", "pull-secret", "references", "gpu"}


async def _run(
    kube: Kube, live: Live, checks: tuple[Check, ...] = catalog.ALL, *, creates: bool, **over: Any
) -> dict[str, Outcome]:
    chosen = values.merge(values.load(live.environment, live.values), over)
    place = live.environment.namespace
    manifests = engine.render(chosen, release=live.environment.release, namespace=place)
    site = Site.of(kube, place, manifests, creates=creates, deep=True, kind="embedded")
    outcomes = await runner.run(checks, site)
    return {outcome.check.name: outcome for outcome in outcomes}


def _only(*wanted: str) -> tuple[Check, ...]:
    return tuple(check for check in catalog.ALL if check.name in wanted)


async def test_a_healthy_release_has_all_that_it_needs_and_nothing_is_left_of_the_probe(
    kube: Kube, live: Live
) -> None:
    for _ in range(ATTEMPTS):
        found = await _run(kube, live, creates=True)
        if all(outcome.state is not State.UNKNOWN for outcome in found.values()):
            break
    bad = {name: item.state for name, item in found.items() if item.state is not State.OK}
    assert bad == dict.fromkeys(SEEN_NEEDLESS, State.NOT_NEEDED)
    deadline = time.monotonic() + GONE_S
    while left := await kube.list("v1", "Namespace", None, f"{probe_objects.LABEL}=check"):
        assert all("deletionTimestamp" in item["metadata"] for item in left)
        assert time.monotonic() < deadline
        await asyncio.sleep(0.5)


async def test_only_checking_makes_nothing_and_sees_all_but_the_network(
    kube: Kube, live: Live
) -> None:
    before = {item["metadata"]["uid"] for item in await kube.list("v1", "Namespace")}
    found = await _run(kube, live, creates=False)
    assert {item["metadata"]["uid"] for item in await kube.list("v1", "Namespace")} <= before
    states = {name: outcome.state for name, outcome in found.items()}
    assert {name for name, state in states.items() if state is State.UNKNOWN} == {"network"}
    assert State.FAILED not in states.values(), found


@pytest.fixture
async def vault(kube: Kube) -> AsyncIterator[VaultClient]:
    """Vault as its administrator, who may break it."""
    async with server.connect(kube) as client:
        yield client


async def test_a_policy_that_allows_too_much_is_found_by_its_text_and_by_its_effect(
    kube: Kube, live: Live, vault: VaultClient
) -> None:
    name, files = policies.NAMES[3], policies.read(project.policies_dir())
    wide = 'path "secret/data/vrooli/*" {\n  capabilities = ["read", "update"]\n}\n'
    await vault.ensure_policy(name, wide)
    try:
        found = await _run(kube, live, OF_VAULT, creates=False)
    finally:
        await vault.ensure_policy(name, files[name])
    told = {item.resource: item for item in found["vault-policies"].findings}
    assert f"policy {name}" in told
    assert "secret/data/vrooli/secrets/other" in told
    # A policy for a path itself is stronger than one for all around it: the others' paths hold.
    assert any("read, update" in item.message for item in told.values())
    assert {item.command for item in told.values()} == {INSTALL_COMMAND}
    assert found["vault"].state is State.OK


async def test_a_secret_that_is_not_there_and_one_without_its_key_are_told_by_name(
    kube: Kube, live: Live, vault: VaultClient
) -> None:
    lacking, gone = "vrooli/check-lacking", "vrooli/check-gone"
    await vault.create_secret("secret", lacking, {"OTHER": "of-the-tests"})
    name = policies.NAMES[3]
    files = policies.read(project.policies_dir())
    more = "".join(
        f'path "secret/data/{path}" {{\n  capabilities = ["read"]\n}}\n' for path in (lacking, gone)
    )
    await vault.ensure_policy(name, files[name] + more)
    over = {
        "redis": {"vaultPath": f"secret/data/{lacking}"},
        "sharedConfigAll": {"vaultPath": f"secret/data/{gone}"},
    }
    try:
        found = await _run(kube, live, _only("vault"), creates=False, vso={"secrets": over})
        only = {"redis": over["redis"]}
        keys = await _run(
            kube, live, _only("vault", "vault-keys"), creates=False, vso={"secrets": only}
        )
    finally:
        await vault.ensure_policy(name, files[name])
        kv = vault._hvac.secrets.kv.v2
        await asyncio.to_thread(
            kv.delete_metadata_and_all_versions, path=lacking, mount_point="secret"
        )
    assert [item.message for item in found["vault"].findings] == [
        "there is no secret at this path."
    ]
    (finding,) = keys["vault-keys"].findings
    assert (finding.resource, finding.message) == (f"secret/{lacking}", "it lacks REDIS_PASSWORD.")
    assert "of-the-tests" not in str(keys)


async def test_what_is_safe_to_mend_is_mended_when_asked(kube: Kube, live: Live) -> None:
    options = CheckOptions(live.environment, live.cluster, live.values, operators=True)
    name = policies.NAMES[0]
    rules = 'path "secret/data/other" {\n  capabilities = ["read"]\n}\n'
    await vault_admin.set_policy(kube, name, rules)
    await vault_admin.do(kube, lambda client: client.delete(vault_admin.ROLE))
    try:
        before = await check(options, silent)
        after = await check(replace(options, fix=True), silent)
    finally:
        await vault_admin.set_policy(kube, name)
        await vault_admin.set_role(kube)
    assert not before.ok
    assert [text.partition(" ")[0] for text in before.fixable] == ["write"]
    assert before.fixes == ()
    assert after.ok, after.checks
    assert {step.step for step in after.fixes} >= {"secrets"}
    assert after.fixable == ()


async def test_an_operator_whose_role_was_taken_away_is_told_what_it_may_not(
    kube: Kube, live: Live
) -> None:
    bindings = [
        item
        for item in await kube.list(RBAC, "ClusterRoleBinding")
        if any(one.get("namespace") == "redis-operator" for one in item.get("subjects") or [])
    ]
    assert bindings
    keep = ("name", "labels", "annotations")
    for item in bindings:
        await kube.delete(RBAC, "ClusterRoleBinding", item["metadata"]["name"])
    try:
        found = await _run(kube, live, _only("redis-operator"), creates=False)
    finally:
        for item in bindings:
            metadata = {key: item["metadata"][key] for key in keep if key in item["metadata"]}
            await kube.create({**item, "metadata": metadata})
    (finding,) = found["redis-operator"].findings
    assert "list RedisFailover" in finding.message
    assert "create StatefulSet" in finding.message


async def test_an_image_that_a_node_tried_in_vain_is_not_taken_for_loaded(
    kube: Kube, live: Live
) -> None:
    image = "localhost/vrooli/tried-in-vain:dev"
    body = workload.pod("tries-in-vain")
    body["spec"]["containers"][0]["image"] = image

    def tried(pod: Manifest | None) -> str | None:
        (status,) = (pod or {}).get("status", {}).get("containerStatuses") or [{}]
        reason = status.get("state", {}).get("waiting", {}).get("reason")
        return None if reason == "ImagePullBackOff" else "it wasn't tried twice yet"

    try:
        await kube.apply(body, namespace="default")
        await kube.wait_for("v1", "Pod", "tries-in-vain", "default", tried, 60)
        async with access.connect(live.cluster) as reached:
            assert image not in await reached.cluster.images()
    finally:
        await kube.delete("v1", "Pod", "tries-in-vain", "default")


async def test_a_storage_class_that_the_values_name_and_nobody_has_is_found(
    kube: Kube, live: Live
) -> None:
    over = {"redis": {"storageClass": "gone"}}
    found = await _run(kube, live, _only("storage", "volumes"), creates=True, persistence=over)
    assert names(found["storage"]) == ["StorageClass/gone"]
    assert found["volumes"].state is State.UNKNOWN


async def test_requests_that_no_node_can_meet_are_found(kube: Kube, live: Live) -> None:
    big = {"requests": {"cpu": "500", "memory": "1Gi"}, "limits": {"cpu": "500", "memory": "1Gi"}}
    over = {"server": {"resources": big}}
    found = await _run(kube, live, _only("capacity"), creates=False, services=over)
    assert names(found["capacity"]) == ["vrooli-dev-server"]
