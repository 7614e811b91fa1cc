"""An account with the rights of `view` reads Redis' password, and the check names it."""

from __future__ import annotations

from pathlib import Path

import pytest

from support.cluster import accounts
from support.fakes.check_site import rendered
from vrooli.checks.data import redis_readers
from vrooli.checks.interface import Site
from vrooli.kube import ApiError, Kube

pytestmark = pytest.mark.root

NAMESPACE = "redis-readers"
RBAC, GROUP = "rbac.authorization.k8s.io/v1", "rbac.authorization.k8s.io"
# What the cluster role `view` consists of; a controller, which does not run here, copies it there.
VIEW = "system:aggregate-to-view"
CONF = "masterauth of-the-tests\nrequirepass of-the-tests"


@pytest.fixture
async def viewer(bare_kube: Kube, bare_kubeconfig: Path, tmp_path: Path) -> Path:
    """The kubeconfig of an account that may view a namespace with Redis' objects."""
    metadata = {"name": "viewer", "namespace": NAMESPACE}
    subject = {"kind": "ServiceAccount", **metadata}
    for body in (
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}},
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata},
        {
            "apiVersion": RBAC,
            "kind": "RoleBinding",
            "metadata": metadata,
            "roleRef": {"apiGroup": GROUP, "kind": "ClusterRole", "name": VIEW},
            "subjects": [subject],
        },
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": "rfr-vrooli-rf", "namespace": NAMESPACE},
            "data": {"redis.conf": CONF},
        },
        {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": "vrooli-redis-creds", "namespace": NAMESPACE},
            "stringData": {"password": "of-the-tests"},
        },
    ):
        await bare_kube.apply(body)
    return await accounts.existing(
        "viewer", NAMESPACE, kube=bare_kube, source=bare_kubeconfig, folder=tmp_path
    )


async def test_a_viewer_reads_the_password_and_is_named(bare_kube: Kube, viewer: Path) -> None:
    async with await Kube.connect(viewer) as kube:
        read = await kube.get("v1", "ConfigMap", "rfr-vrooli-rf", NAMESPACE)
        with pytest.raises(ApiError) as refused:
            await kube.get("v1", "Secret", "vrooli-redis-creds", NAMESPACE)
    assert refused.value.is_forbidden
    assert read is not None
    assert "requirepass of-the-tests" in read["data"]["redis.conf"]
    result = await redis_readers.run(Site.of(bare_kube, NAMESPACE, rendered()))
    (warning,) = result.warnings
    assert f"ServiceAccount {NAMESPACE}/viewer" in warning
    assert "of-the-tests" not in warning


async def test_without_such_an_account_nobody_is_named(bare_kube: Kube) -> None:
    result = await redis_readers.run(Site.of(bare_kube, "without-viewers", rendered()))
    assert result.warnings == ()
