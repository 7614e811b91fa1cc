"""Larger volumes for PostgreSQL by new instances, with a PGO that makes instances on its own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

import pytest

from support.fakes.cluster import FakeCluster, namespace
from support.release.database_pods import Body, output
from vrooli.databases.model import Plan, Switched
from vrooli.databases.postgres import disk, growth, replication, switchover
from vrooli.databases.postgres.growth import Replacement
from vrooli.databases.postgres.replication import Replica
from vrooli.databases.postgres.session import Instance, Postgres
from vrooli.errors import PrerequisiteError, WaitTimeoutError
from vrooli.events import Progress
from vrooli.operators.pgo import names

Bodies = list[Body]
Instances = list[Instance]
Events = list[str]
SMALL, LARGE = "1Gi", "5Gi"


class Pgo:
    """A PostgresCluster and its operator, which makes missing instances in the new size."""

    namespace, name = "dev", "vrooli-pg"

    def __init__(self, *sizes: str) -> None:
        self.sizes = {f"i{number}": size for number, size in enumerate(sizes)}
        self.primary_name, self.replicas, self.made = "i0", len(sizes), len(sizes)
        self.least = len(sizes)
        self.events: Events = []
        self.is_working, self.lingering = True, ""
        self.kube = self

    def _reconcile(self) -> None:
        while self.is_working and len(self.sizes) < self.replicas:
            self.sizes[f"i{self.made}"] = LARGE
            self.made += 1
        while len(self.sizes) > self.replicas:  # any one but the primary
            spare = next(item for item in self.sizes if item != self.primary_name)
            del self.sizes[spare]

    async def list(self, api: str, kind: str, namespace: str, selector: str) -> Bodies:
        assert selector == f"{names.CLUSTER_LABEL}=vrooli-pg,{names.ROLE_LABEL}=pgdata"
        return [
            {
                "metadata": {"name": f"{item}-pgdata", "labels": {names.INSTANCE_LABEL: item}},
                "spec": {"resources": {"requests": {"storage": size}}},
            }
            for item, size in self.sizes.items()
        ]

    async def get(self, *place: str) -> Body | None:
        if place[1] == "PersistentVolumeClaim":
            lingering, self.lingering = self.lingering, ""
            if lingering:
                return {"spec": {"resources": {"requests": {"storage": SMALL}}}}
            return None
        return {"spec": {"instances": [{"name": "instance1", "replicas": self.replicas}]}}

    async def patch(self, *words: Any) -> None:
        (instance,) = words[-1]["spec"]["instances"]
        assert instance["name"] == "instance1"
        if instance["replicas"] < self.replicas:
            assert len(self.sizes) == self.replicas, "an instance is missing"
            assert not self.lingering, "an instance is being deleted"
        self.replicas = instance["replicas"]
        self.events.append(f"replicas {self.replicas}")
        self._reconcile()

    async def delete(
        self, api: str, kind: str, name: str, namespace: str, *, uid: str = ""
    ) -> bool:
        if kind == "StatefulSet":
            assert name != self.primary_name, "the primary is deleted"
            assert self.sizes.pop(name) == SMALL
            self.least = min(self.least, len(self.sizes))
            self.events.append(f"deleted {name}")
            self.lingering = name
        return True

    async def primary(self) -> Instance:
        return Instance(f"{self.primary_name}-0", "instance1", True, True)

    async def instances(self) -> Instances:
        """A deleted pod is listed until its volume is gone; PGO uses its name again."""
        listed = [*self.sizes, *filter(None, [self.lingering])]
        instances = [
            Instance(f"{item}-0", "instance1", item == self.primary_name, True) for item in listed
        ]
        if not self.lingering:
            self._reconcile()
        return instances


@pytest.fixture
def patroni(monkeypatch: pytest.MonkeyPatch) -> None:
    """All replicas stream; a switchover takes a quarter of a second."""

    async def fetch(pgo: Any, primary: str, pods: Any) -> list[Replica]:
        return [Replica(pod, "streaming") for pod in pods]

    async def plan(pgo: Any, to: str, progress: Progress) -> Plan:
        others = [item for item in pgo.sizes if item != pgo.primary_name]
        return Plan(f"{pgo.primary_name}-0", f"{others[0]}-0")

    async def switch_over(pgo: Any, planned: Plan, progress: Progress) -> Switched:
        pgo.primary_name = planned.target.removesuffix("-0")
        pgo.events.append(f"primary {pgo.primary_name}")
        return Switched(planned.target, 0.25)

    async def await_followers(*words: object) -> None:
        return None

    monkeypatch.setattr(replication, "fetch", fetch)
    for function in (plan, switch_over, await_followers):
        monkeypatch.setattr(switchover, function.__name__, function)
    monkeypatch.setattr(growth, "POLL_S", 0.0)


async def _replace(pgo: Pgo, replicas: int, limit_s: float = 5.0) -> Replacement:
    replacement = Replacement(cast(Postgres, pgo), LARGE, limit_s)
    await replacement.run(replicas, Progress())
    return replacement


@pytest.mark.usefixtures("patroni")
@pytest.mark.parametrize("count", [1, 2, 3])
async def test_all_instances_are_replaced_and_the_number_never_falls_below(count: int) -> None:
    pgo = Pgo(*[SMALL] * count)
    replacement = await _replace(pgo, count)
    assert list(pgo.sizes.values()) == [LARGE] * count
    assert pgo.least >= count
    assert replacement.switched == Switched("i1-0" if count == 1 else f"i{count}-0", 0.25)


@pytest.mark.usefixtures("patroni")
async def test_the_primary_is_replaced_last_after_one_switchover() -> None:
    pgo = Pgo(SMALL, SMALL)
    await _replace(pgo, 2)
    assert pgo.events == ["replicas 3", "deleted i1", "primary i2", "deleted i0", "replicas 2"]


@pytest.mark.usefixtures("patroni")
@pytest.mark.parametrize(
    ("sizes", "primary"),
    [
        ((SMALL, LARGE), "i0"),
        ((SMALL, LARGE), "i1"),
        ((SMALL, SMALL, LARGE), "i0"),
        ((SMALL, LARGE, LARGE), "i1"),
        ((LARGE, LARGE, LARGE), "i0"),
    ],
)
async def test_an_interrupted_replacement_continues(sizes: tuple[str, ...], primary: str) -> None:
    pgo = Pgo(*sizes)
    pgo.primary_name = primary
    await _replace(pgo, 2)
    assert list(pgo.sizes.values()) == [LARGE] * 2


@pytest.mark.usefixtures("patroni")
async def test_nothing_happens_if_all_volumes_are_large() -> None:
    pgo = Pgo(LARGE, LARGE)
    assert (await _replace(pgo, 2)).switched is None
    assert not pgo.events


@pytest.mark.usefixtures("patroni")
async def test_no_instance_is_deleted_while_a_new_one_is_missing() -> None:
    pgo = Pgo(SMALL, SMALL)
    pgo.is_working = False
    with pytest.raises(WaitTimeoutError, match="2 of 3 instances are ready") as error:
        await _replace(pgo, 2, limit_s=0.05)
    assert pgo.events == ["replicas 3"]
    assert "it continues" in error.value.advice


HOST_PATH = {"hostPath": {"path": "/x"}}


def _volume(name: str, node: str, source: Body, size: str = SMALL) -> Bodies:
    """The claim, the volume and the pod of an instance."""
    labels = {names.CLUSTER_LABEL: "vrooli-pg", names.ROLE_LABEL: "pgdata"}
    labels[names.INSTANCE_LABEL] = name
    claim = {
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": f"{name}-pgdata", "labels": labels},
        "spec": {"resources": {"requests": {"storage": size}}, "volumeName": f"pv-{name}"},
    }
    volume = {"kind": "PersistentVolume", "metadata": {"name": f"pv-{name}"}, "spec": source}
    pod = {"kind": "Pod", "metadata": {"name": f"{name}-0"}, "spec": {"nodeName": node}}
    return [claim, volume, pod]


async def _demand_room(
    monkeypatch: pytest.MonkeyPatch, volumes: Bodies, instances: int, df: Mapping[str, str]
) -> None:
    """Demand room for volumes of 1000 bytes, with what df prints in each pod."""

    async def run(kube: object, place: Any, script: str, *words: object) -> object:
        assert script.startswith("df ")
        return output(df[place.pod])

    monkeypatch.setattr(disk.programs, "run", run)
    body = {"metadata": {"name": "vrooli-pg", "namespace": "dev"}}
    cluster = FakeCluster(namespace(), *volumes)
    await growth.demand_room(Postgres(cluster, body), "1000", instances)


def _df(free: int) -> str:
    return f"/dev/x 100 50 {free} 50% /pgdata"


async def test_a_disk_without_room_is_reported_in_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    volumes = _volume("i0", "a", HOST_PATH, "10")
    with pytest.raises(PrerequisiteError, match=r"has 1999 bytes free, .* need 2000 bytes"):
        await _demand_room(monkeypatch, volumes, 1, {"i0-0": _df(1999)})
    await _demand_room(monkeypatch, volumes, 1, {"i0-0": _df(2000)})


async def test_each_node_needs_room_for_the_volumes_that_it_can_get(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    volumes = [
        *_volume("i0", "a", HOST_PATH, "10"),
        *_volume("i1", "a", HOST_PATH, "10"),
        *_volume("i2", "b", HOST_PATH, "10"),
    ]
    await _demand_room(monkeypatch, volumes, 3, {"i0-0": _df(3000), "i2-0": _df(2000)})
    with pytest.raises(PrerequisiteError, match="pod i2-0 has 1999 bytes free"):
        await _demand_room(monkeypatch, volumes, 3, {"i0-0": _df(3000), "i2-0": _df(1999)})


async def test_a_replacement_that_continues_needs_room_for_what_is_missing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    volumes = [*_volume("i0", "a", HOST_PATH, "10"), *_volume("i1", "a", HOST_PATH, "1000")]
    await _demand_room(monkeypatch, volumes, 1, {"i0-0": _df(1000)})


async def test_free_space_that_cannot_be_read_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(PrerequisiteError, match="could not be read: df printed nothing"):
        await _demand_room(monkeypatch, _volume("i0", "a", HOST_PATH, "10"), 1, {"i0-0": ""})


async def test_a_volume_of_the_network_is_not_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    await _demand_room(monkeypatch, _volume("i0", "a", {"csi": {"driver": "x"}}, "10"), 1, {})
