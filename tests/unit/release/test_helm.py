"""What is told of Helm's errors."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import cast

import helm_python
import pytest

from support.fakes.cluster import FakeCluster
from support.secrets.canaries import Canary, canaries, leaked
from vrooli import project
from vrooli.errors import PrerequisiteError
from vrooli.kube import Kube
from vrooli.release import Release, helm, helm_tests

RELEASE = Release("vrooli-dev", "dev", Path("kubeconfig"))


@pytest.mark.parametrize(
    "item", [item for item in canaries(1) if not item.known], ids=lambda item: str(item.shape)
)
def test_an_error_of_helm_is_reported_without_what_looks_like_a_secret(item: Canary) -> None:
    error = helm_python.HelmError(f"Deployment is invalid: env[0].value: {item.text}: refused")
    reported = helm.failure(RELEASE, "upgrade", error).message
    assert "Deployment is invalid: env[0].value: " in reported
    assert leaked([item], reported) == []


REFUSAL = (
    'secrets is forbidden: User "ann" cannot list resource "secrets" in API group "" in the '
    'namespace "dev"'
)


def test_a_right_that_helm_misses_is_the_environments_miss_and_is_named() -> None:
    error = helm_python.HelmReleaseError(f"query: failed to query with labels: {REFUSAL}")
    reported = helm.failure(RELEASE, "roll back", error)
    assert reported.exit_code == 3
    assert reported.message.startswith("This kubeconfig may not roll back")
    assert "permission to list secrets in namespace dev" in reported.advice


@pytest.mark.anyio
async def test_a_test_without_the_right_to_run_it_has_not_failed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def refused(*_: object) -> None:
        raise helm_python.HelmReleaseError(REFUSAL.replace("list", "create"))

    monkeypatch.setattr(helm, "call", refused)
    with pytest.raises(PrerequisiteError, match="may not run test smoke of"):
        await helm_tests.run(cast("Kube", None), RELEASE, "smoke")


@pytest.mark.parametrize("ending", [helm_python.HelmError("failed"), asyncio.CancelledError()])
async def test_the_pod_of_a_test_that_did_not_pass_is_deleted(
    ending: BaseException, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*_: object) -> None:
        raise ending

    async def no_log(*_: object) -> str:
        return ""

    monkeypatch.setattr(helm, "call", fail)
    monkeypatch.setattr(helm_tests, "_log", no_log)
    cluster = FakeCluster({"kind": "Pod", "metadata": {"name": "smoke"}})
    work = helm_tests.run(cluster, RELEASE, "smoke")
    if isinstance(ending, asyncio.CancelledError):
        with pytest.raises(asyncio.CancelledError):
            await work
    else:
        assert not (await work).passed
    assert cluster.find("Pod", "smoke") is None


KUBECONFIG = """
{apiVersion: v1, kind: Config, current-context: a, users: [{name: a, user: {}}],
 contexts: [{name: a, context: {cluster: a, user: a}}],
 clusters: [{name: a, cluster: {server: "https://127.0.0.1:1"}}]}
"""


@pytest.mark.parametrize("function", [helm.INSTALL, helm.UPGRADE])
def test_the_engine_knows_the_options_that_it_is_given(function: str) -> None:
    """Its library refuses unknown ones before it connects."""
    with helm_python.Config(kubeconfig_content=KUBECONFIG) as config:

        def apply(**options: object) -> None:
            context = helm_python.HelmContext()
            helm.apply(function, config, context, project.chart_dir(), "x", {}, options)

        with pytest.raises(helm_python.HelmKubeError, match="unreachable"):
            apply(timeout_seconds=5, description=None, labels={"a": "b"})
        with pytest.raises(helm_python.HelmInvalidArgError, match="unknown"):
            apply(unknown=True)
