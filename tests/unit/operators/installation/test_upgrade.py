"""Which operators may be upgraded, and to what."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from support.fakes.cluster import FakeCluster, namespace
from vrooli.kube import common_labels
from vrooli.operators import PGO, REDIS, Operator, Site, Source
from vrooli.operators.installation.upgrade import Plan, plan

OURS = {common_labels.MANAGED_BY: "vrooli"}
GO_MODULE = {"vrooli.com/source": "go-module", "vrooli.com/inputs": "0123456789abcdef"}


def deployment(operator: Operator, version: str, place: str = "", **annotations: str) -> Any:
    key, _, value = operator.selector.partition("=")
    image = f"localhost/vrooli/{operator.name}:{version}"
    return {
        "kind": "Deployment",
        "metadata": {
            "name": "operator",
            "namespace": place or operator.namespace,
            "labels": {key: value or "pgo"},
            "annotations": {name.replace("_", "/"): text for name, text in annotations.items()},
        },
        "spec": {"template": {"spec": {"containers": [{"name": "operator", "image": image}]}}},
    }


def installed(operator: Operator, version: str, recorded: str = "") -> FakeCluster:
    """A cluster with an operator that this product has installed."""
    annotations = {**GO_MODULE, "vrooli.com/version": recorded or version}
    place = namespace(operator.namespace, labels=OURS, annotations=annotations)
    return FakeCluster(place, deployment(operator, version))


async def planned(
    operator: Operator, kube: FakeCluster, *bodies: Any, source: Source = Source.GO_MODULE
) -> Plan:
    return await plan(operator, source, Site(kube, Path("kubeconfig")), bodies)


async def test_a_proven_upgrade_is_possible() -> None:
    result = await planned(REDIS, installed(REDIS, "1.2.3"))
    assert (result.installed, result.target, result.owner) == (
        "1.2.3",
        "1.2.4",
        "vrooli, the Go module",
    )
    assert (result.refusal, result.doubt) == ("", "")


async def test_an_upgrade_that_was_not_proven_is_doubted() -> None:
    result = await planned(REDIS, installed(REDIS, "1.2.2"))
    assert result.refusal == ""
    assert "from 1.2.2 to 1.2.4 was not proven" in result.doubt
    assert (await planned(REDIS, installed(REDIS, "1.2.4"))).doubt == ""


@pytest.mark.parametrize("newer", ["1.2.5", "1.10.0", "2.0"])
async def test_a_downgrade_is_refused(newer: str) -> None:
    result = await planned(REDIS, installed(REDIS, newer))
    assert f"{newer} is newer than 1.2.4" in result.refusal
    assert not result.is_foreign


async def test_an_operator_that_is_not_installed_is_refused() -> None:
    result = await planned(REDIS, FakeCluster())
    assert (result.installed, result.refusal) == (
        "",
        "Redis operator (Spotahome) is not installed.",
    )
    assert "vrooli check --operators --fix" in result.advice


@pytest.mark.parametrize(
    ("annotations", "owner"),
    [
        ({"meta.helm.sh_release-name": "redis"}, "the Helm release redis in namespace theirs"),
        ({}, "another program, as Deployment/operator"),
    ],
)
async def test_the_operator_of_others_is_refused_with_their_name(
    annotations: dict[str, str], owner: str
) -> None:
    kube = FakeCluster(
        namespace("theirs"), deployment(REDIS, "1.2.3", "theirs", **annotations), namespace="theirs"
    )
    result = await planned(REDIS, kube)
    assert result.is_foreign
    assert result.refusal.endswith(f"1.2.3 was not installed by vrooli, but by {owner}.")


async def test_our_operator_that_others_have_changed_is_refused() -> None:
    result = await planned(REDIS, installed(REDIS, "1.2.2", recorded="1.2.3"))
    assert result.is_foreign
    assert "in version 1.2.3, and another program has changed it to 1.2.2" in result.refusal


def cluster(major: int, image: str = "") -> Any:
    spec = {"postgresVersion": major, **({"image": image} if image else {})}
    return {
        "kind": "PostgresCluster",
        "metadata": {"name": f"pg{major}", "namespace": "production"},
        "spec": spec,
    }


async def test_a_pgo_that_cannot_run_the_postgresql_of_a_release_is_refused() -> None:
    kube = installed(PGO, "5.4")
    result = await planned(PGO, kube, cluster(15), cluster(16), source=Source.VENDOR)
    assert result.target == "5.8.2"
    assert (
        "PostgresCluster/pg15 in namespace production runs PostgreSQL 15, and PGO 5.8.2 has images "
        "of 16 and 17" in result.refusal
    )
    assert "pg16" not in result.refusal
    with_image = await planned(PGO, kube, cluster(15, "r/postgres:15"), source=Source.VENDOR)
    assert with_image.refusal == ""
    too_new = await planned(PGO, kube, cluster(18, "r/postgres:18"), source=Source.VENDOR)
    assert "PostgreSQL 18" in too_new.refusal
