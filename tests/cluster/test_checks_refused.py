"""Checks on an API server that refuses, is slow, or has nothing behind it."""

from __future__ import annotations

import gc
import json
import os
import sys
import time
import xml.etree.ElementTree as ET
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from support.cluster import accounts
from support.failures import stalling_api
from support.fakes.check_site import names, rendered
from vrooli import process
from vrooli.checks import catalog, probe_pods, runner
from vrooli.checks.cluster import admission
from vrooli.checks.interface import Check, Outcome, Site, State
from vrooli.environments import ENVIRONMENTS
from vrooli.errors import PrerequisiteError
from vrooli.events import silent
from vrooli.findings import Verdict
from vrooli.kube import Kube
from vrooli.operators.model import INSTALL_COMMAND
from vrooli.workflows.checks import check as workflow
from vrooli.workflows.checks.check import CheckOptions

NAMESPACE = "few-rights"
# As all checks are, but with less patience; a unit test adds up their own limits.
HASTY_S = 2.0
# The programs of this machine are looked at with the usual limit.
HASTY = tuple(
    check if check.name == "tools" else replace(check, limit_s=HASTY_S) for check in catalog.ALL
)
# What a busy machine may add to the limits, seconds.
BUSY_S = 30.0

# A connection that is given up while it begins is closed by the collector, which warns of it.
CUT_OFF = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


async def _run(
    kube: Kube, checks: Sequence[Check] = catalog.ALL, **changes: Any
) -> dict[str, Outcome]:
    site = Site.of(kube, NAMESPACE, rendered(**changes), creates=True, deep=True)
    outcomes = await runner.run(checks, site)
    return {outcome.check.name: outcome for outcome in outcomes}


@pytest.fixture
async def reader(bare_kube: Kube, bare_kubeconfig: Path, tmp_path: Path) -> Path:
    """The kubeconfig of an account that may only read Services of one namespace."""
    rules = [{"apiGroups": [""], "resources": ["services"], "verbs": ["get", "list", "watch"]}]
    return await _account(bare_kube, bare_kubeconfig, tmp_path, "reader", rules)


async def _account(
    bare_kube: Kube, bare_kubeconfig: Path, tmp_path: Path, name: str, rules: list[dict[str, Any]]
) -> Path:
    """The kubeconfig of an account with these rights in the namespace."""
    return await accounts.kubeconfig_of(
        name, rules, NAMESPACE, kube=bare_kube, source=bare_kubeconfig, folder=tmp_path
    )


MAKES_ROLES = [
    {"apiGroups": [""], "resources": ["namespaces"], "verbs": ["get"]},
    {
        "apiGroups": ["rbac.authorization.k8s.io"],
        "resources": ["roles", "rolebindings"],
        "verbs": ["get", "list", "watch", "create", "patch", "delete"],
    },
]


@pytest.mark.parametrize("holds", [False, True])
async def test_who_makes_the_rotator_s_role_must_hold_what_it_grants(
    bare_kube: Kube, bare_kubeconfig: Path, tmp_path: Path, holds: bool
) -> None:
    granted = next(item for item in rendered() if item.kind == "Role").body["rules"]
    rules = [*MAKES_ROLES, *(granted if holds else [])]
    path = await _account(bare_kube, bare_kubeconfig, tmp_path, f"maker-{holds}".lower(), rules)
    async with await Kube.connect(path) as kube:
        site = Site.of(kube, NAMESPACE, rendered())
        findings = (await admission.run(site)).findings
    about = {item.resource: item for item in findings if item.resource.startswith("Role")}
    if holds:
        assert about == {}
        return
    (role,) = about.values()
    assert role.resource == "Role/vrooli-dev-rotator"
    assert 'Resources:["secrets"], Verbs:["create"]' in role.message
    assert "escalate" in role.message
    assert "rotation.enabled=false" in role.remediation
    assert role.command == f"kubectl auth can-i escalate roles -n {NAMESPACE}"


async def test_with_few_rights_the_rest_is_checked_and_what_was_not_seen_is_said(
    reader: Path,
) -> None:
    async with await Kube.connect(reader) as kube:
        found = await _run(kube)
    assert {found[name].state for name in ("tools", "api-resources")} == {State.OK}
    refused = {item.resource: item.message for item in found["permissions"].findings}
    assert "may not create, patch, delete it" in refused["Service"]
    assert "may not get, list, watch, create, patch, delete, update it" in refused["Secret"]
    unseen = {name for name, outcome in found.items() if outcome.state is State.UNKNOWN}
    assert unseen >= {"capacity", "storage", "ingress", "images", "redis-operator", "network"}
    for name in unseen - {"volumes", "ingress-controller", "vault-keys", "vault-policies"}:
        assert "permission denied" in found[name].summary, found[name]


async def test_an_api_server_with_nothing_behind_it_lacks_the_operators(bare_kube: Kube) -> None:
    found = await _run(bare_kube)
    for name in ("postgres-operator", "redis-operator", "vault-secrets-operator"):
        (finding,) = found[name].findings
        assert (finding.message, finding.command) == ("it is not installed.", INSTALL_COMMAND)
    assert "nodes" in names(found["cluster"])
    assert names(found["storage"]) == ["StorageClass"]
    assert "the Service does not exist" in found["vault"].findings[0].message
    assert "it depends on “Vault”" in found["vault-keys"].summary
    assert found["gpu"].state is State.NOT_NEEDED


async def test_a_storage_class_that_the_values_name_and_nobody_has_is_found(
    bare_kube: Kube,
) -> None:
    found = await _run(bare_kube, persistence={"postgres": {"storageClass": "gone"}})
    assert names(found["storage"]) == ["StorageClass/gone", "StorageClass"]
    assert found["volumes"].state is State.UNKNOWN


@CUT_OFF
async def test_an_api_server_that_stops_to_answer_holds_nothing_up_beyond_the_limits(
    bare_kubeconfig: Path, tmp_path: Path
) -> None:
    async with (
        stalling_api.way(bare_kubeconfig, tmp_path) as way,
        await Kube.connect(way.kubeconfig) as kube,
    ):
        began = time.monotonic()
        way.close()
        found = await _run(kube, HASTY)
    assert time.monotonic() - began < HASTY_S + 2 * probe_pods.CLEAN_S + BUSY_S
    gc.collect()
    assert found["tools"].state is State.OK
    assert found["cluster"].state is State.UNKNOWN
    assert "no result after 2 s" in found["cluster"].summary
    assert {outcome.state for outcome in found.values()} <= set(State) - {State.FAILED}
    assert workflow.verdict(list(found.values())) is Verdict.UNKNOWN


@CUT_OFF
async def test_a_cluster_that_does_not_let_us_in_is_a_lack_of_the_environment(
    bare_kubeconfig: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workflow, "CONNECT_S", 1.0)
    async with stalling_api.way(bare_kubeconfig, tmp_path) as way:
        way.close()
        monkeypatch.setenv("KUBECONFIG", str(way.kubeconfig))
        monkeypatch.setenv("VROOLI_STATE_DIR", str(tmp_path))
        monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}:{os.environ['PATH']}")
        options = CheckOptions(ENVIRONMENTS["dev"], cluster="context:bare")
        with pytest.raises(PrerequisiteError, match="did not answer within 1 s") as raised:
            await workflow.check(options, silent)
    assert raised.value.exit_code == 3
    del raised
    gc.collect()


async def test_the_command_ends_with_1_and_writes_json_and_junit(
    bare_kubeconfig: Path, tmp_path: Path
) -> None:
    junit = tmp_path / "junit.xml"
    words = ["check", "--check-only", "yes", "--cluster", "context:bare", "-o", "json"]
    done = await process.run(
        [sys.executable, "-m", "vrooli", *words, "--junit", junit],
        env={
            "KUBECONFIG": str(bare_kubeconfig),
            "VROOLI_STATE_DIR": str(tmp_path),
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        },
        check=False,
    )
    assert done.status == 1, done.log
    last = json.loads(done.output.splitlines()[-1])
    states = {item["name"]: item["state"] for item in last["result"]["checks"]}
    assert list(states) == [check.name for check in catalog.ALL]
    assert states["redis-operator"] == "failed"
    assert last["result"]["fixable"][0].startswith("install PostgreSQL operator")
    suite = ET.parse(junit).getroot().find("testsuite")  # noqa: S314 - our own
    assert suite is not None
    assert suite.get("tests") == str(len(states))
    assert suite.get("failures") == str(list(states.values()).count("failed"))
