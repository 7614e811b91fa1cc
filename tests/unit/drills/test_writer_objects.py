"""The objects of the writer of a drill."""

from __future__ import annotations

from pathlib import Path

import pytest

from support.fakes.cluster import FakeCluster
from support.release.records import record
from vrooli.chart import engine, values
from vrooli.drills import bench, writer_objects
from vrooli.drills.site import Site
from vrooli.environments import ENVIRONMENTS
from vrooli.release.model import Release
from vrooli.release.records import storage
from vrooli.release.records.storage import ReleaseRecord

DEV = ENVIRONMENTS["dev"]
RELEASE = Release.of(DEV, Path("kubeconfig"))
NAMES = {
    "fullnameOverride": "mine",
    "pgoPostgresql": {"enabled": False},
    "externalPostgresql": {"host": "db.example"},
    "spotahomeRedis": {"enabled": False},
    "externalRedis": {"host": "cache.example"},
    "vso": {
        "secrets": {"postgres": {"k8sSecretName": "login"}, "redis": {"k8sSecretName": "cache"}}
    },
}

pytestmark = pytest.mark.anyio


def recorded() -> ReleaseRecord:
    """The record of a release with other names of its objects and Secrets."""
    merged = values.merge(values.load(DEV), NAMES)
    rendered = engine.render(merged, release=DEV.release, namespace=DEV.namespace)
    made = record(objects=rendered)
    return storage.ReleaseRecord(made.revision, made.namespace, made.documents, values=merged)


async def test_the_writer_reads_the_secrets_of_the_release() -> None:
    site = await Site.of(FakeCluster(), RELEASE, recorded(), None)
    objects = writer_objects.objects(bench.plan_writer(site, 60.0), {}, 0)
    (role,) = (body for body in objects if body["kind"] == "Role")
    assert role["rules"][0]["resourceNames"] == ["login", "cache"]
    (pod,) = (body for body in objects if body["kind"] == "Pod")
    settings = {item["name"]: item["value"] for item in pod["spec"]["containers"][0]["env"]}
    assert (settings["POSTGRES_SECRET"], settings["REDIS_SECRET"]) == ("login", "cache")
    sources = pod["spec"]["containers"][0]["envFrom"]
    assert sources == [{"configMapRef": {"name": "mine-connections"}}]
