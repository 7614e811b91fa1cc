"""The rotator restarts each kind of workload, and writes the login role into the address."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from support.fakes.kubernetes_http import NAMESPACE, FakeKubernetes
from vrooli_rotator.consumers import RESTARTED_AT, Consumers
from vrooli_rotator.errors import WaitingError
from vrooli_rotator.kubernetes import Kubernetes
from vrooli_rotator.postgres import as_user

LABELS = {"app": "server"}


@pytest.mark.parametrize(
    ("kind", "name"), [("Deployment", "server"), ("StatefulSet", "StatefulSet/server")]
)
async def test_a_workload_with_older_pods_is_restarted(kind: str, name: str) -> None:
    fake = FakeKubernetes()
    template = {"metadata": {"labels": LABELS}}
    spec = {"selector": {"matchLabels": LABELS}, "template": template}
    fake.put(kind, "server", {"spec": spec})
    fake.put("Pod", "server-0", {"metadata": {"labels": LABELS}, "status": {"phase": "Running"}})
    async with fake.client() as client:
        consumers = Consumers(Kubernetes(client, NAMESPACE), [name])
        with pytest.raises(WaitingError, match="server-0"):
            await consumers.replace(datetime.now(UTC) - timedelta(minutes=1))
    annotations = fake.objects[kind, "server"]["spec"]["template"]["metadata"]["annotations"]
    assert RESTARTED_AT in annotations


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("postgresql://vrooli:a%40b@pool:5432/v?c=d", "postgresql://other:a%40b@pool:5432/v?c=d"),
        ("postgresql://:a@pool/v", "postgresql://other:a@pool/v"),
        ("no address", "no address"),
    ],
)
def test_the_address_has_the_login_role(before: str, after: str) -> None:
    published = as_user({"DB_URL": before, "DB_USER": "vrooli", "DB_PASSWORD": "a"}, "other")
    assert published == {"DB_URL": after, "DB_USER": "other", "DB_PASSWORD": "a"}


def test_without_an_address_only_the_user_is_set() -> None:
    assert as_user({"DB_PASSWORD": "a"}, "other") == {"DB_PASSWORD": "a", "DB_USER": "other"}
