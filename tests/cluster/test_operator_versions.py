"""A real API server with the definitions of other operator versions accepts the chart's objects.

Those that the Go module proxy serves are read from their modules. The others are data for tests
that are kept outside the repository.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from support.cluster import api_server
from vrooli import programs, project
from vrooli.chart import engine, golden
from vrooli.chart.manifest import Manifest
from vrooli.errors import UsageError, VrooliError
from vrooli.events import Progress
from vrooli.kube import Kube
from vrooli.operators import versions
from vrooli.operators.installation import crds
from vrooli.operators.versions import Proof
from vrooli.operators.vso import names

FOLDER = project.root().parent / "shared" / "crds"
NAMESPACE = "default"
DELETED_S = 120.0
DEFINITION = ("apiextensions.k8s.io/v1", "CustomResourceDefinition")
POSTGRES, REDIS = ("PostgresCluster",), ("RedisFailover",)
VAULT = (names.CONNECTION, names.AUTH, names.STATIC_SECRET)


@dataclass(frozen=True)
class Definitions:
    """The definitions of one version.

    Attributes:
        file: The file in FOLDER, or the pattern of files in a Go module.
        kinds: The kinds of the chart that they define.
        module: The group with the Go module; empty if the file is in FOLDER.
    """

    file: str
    kinds: tuple[str, ...]
    module: str = ""


FILES: Mapping[str, Definitions] = {
    "PGO 5.8.2": Definitions("postgresclusters-pgo-5.8.2.yaml", POSTGRES),
    "PGO 5.8.5": Definitions("postgresclusters-pgo-5.8.5.yaml", POSTGRES),
    "PGO 6.0": Definitions("postgresclusters-pgo-6.0.3.yaml", POSTGRES),
    "freshworks-oss Redis operator 3.3.5": Definitions("redisfailovers-freshworks.yaml", REDIS),
    "Vault Secrets Operator 1.x": Definitions(
        "chart/crds/*.yaml", VAULT, "vault-secrets-operator-1"
    ),
}
PGO = [title for title, item in FILES.items() if item.kinds == POSTGRES]
WRONG = ("PASSWORD 'x'", "CREATEDB -- no", "password null", "LOGIN /* no */")


@pytest.fixture(scope="module")
def kubeconfig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """An API server of these tests' own: the definitions replace each other."""
    found = asyncio.run(programs.ensure(["etcd", "kube-apiserver"], Progress()))
    with api_server.running(found, tmp_path_factory.mktemp("versions")) as path:
        yield path


@pytest.fixture(scope="module", params=FILES)
def title(request: pytest.FixtureRequest, kubeconfig: Path) -> str:
    """A version whose definitions the API server has."""
    item = FILES[request.param]
    folder = asyncio.run(programs.module_dir(item.module, Progress())) if item.module else FOLDER
    paths = sorted(folder.glob(item.file))
    if not paths:
        missing = f"{folder / item.file} does not exist"
        pytest.skip(f"{missing}: the definitions of {request.param} are not tested")
    asyncio.run(_replace(kubeconfig, paths))
    return str(request.param)


async def _replace(kubeconfig: Path, paths: Sequence[Path]) -> None:
    """Delete the definitions of the version before, and apply others."""
    definitions = await crds.read(paths)
    async with await Kube.connect(kubeconfig) as kube:
        for item in definitions:
            name = item["metadata"]["name"]
            if await kube.get(*DEFINITION, name):
                await kube.delete(*DEFINITION, name)
                await kube.wait_for(*DEFINITION, name, None, _remaining, DELETED_S)
        await crds.apply(kube, definitions, Progress())


def _remaining(definition: Any) -> str | None:
    return "it is being deleted" if definition else None


@pytest.fixture
async def kube(kubeconfig: Path) -> AsyncIterator[Kube]:
    async with await Kube.connect(kubeconfig) as client:
        yield client


def _objects(title: str) -> Iterator[tuple[str, Manifest]]:
    for case in golden.CASES:
        for item in engine.render(golden.settings(case), release="strict", namespace=NAMESPACE):
            if item.kind in FILES[title].kinds:
                yield case, item


async def test_every_golden_object_is_accepted_in_strict_validation(kube: Kube, title: str) -> None:
    refused, kinds = {}, list[str]()
    for case, item in _objects(title):
        kinds.append(item.kind)
        try:
            await kube.applied(item.body, namespace=NAMESPACE)
        except VrooliError as error:
            refused[case, item.key] = error.message
    assert refused == {}
    assert {kind: kinds.count(kind) >= len(golden.ENVIRONMENT_CASES) for kind in kinds} == (
        dict.fromkeys(FILES[title].kinds, True)
    )


async def test_a_field_that_the_definition_lacks_is_refused(kube: Kube, title: str) -> None:
    _, item = next(_objects(title))
    body = {**item.body, "spec": {**item.body["spec"], "nosuchfield": 1}}
    with pytest.raises(VrooliError, match="nosuchfield"):
        await kube.applied(body, namespace=NAMESPACE)


@pytest.mark.parametrize("options", WRONG)
async def test_options_that_the_definition_refuses_are_refused_by_the_chart_before(
    kube: Kube, title: str, options: str
) -> None:
    if title not in PGO:
        pytest.skip("the kind has no users")
    user = {"name": "vrooli", "databases": ["vrooli"], "options": options}
    with pytest.raises(UsageError, match="options"):
        engine.render({"pgoPostgresql": {"users": [user]}}, release="strict", namespace=NAMESPACE)
    _, item = next(_objects(title))
    body = {**item.body, "spec": {**item.body["spec"], "users": [user]}}
    with pytest.raises(VrooliError, match=r"cannot (assign password|contain comments)"):
        await kube.applied(body, namespace=NAMESPACE)


async def test_the_newest_version_of_postgresql_is_the_one_of_the_list(
    kube: Kube, title: str
) -> None:
    if title not in PGO:
        pytest.skip("the kind has no version of PostgreSQL")
    entry = next(item for item in versions.VERSIONS if item.title == title)
    _, item = next(_objects(title))
    for version in (*entry.postgres, entry.newest_postgres):
        spec = {**item.body["spec"], "postgresVersion": version}
        await kube.applied({**item.body, "spec": spec}, namespace=NAMESPACE)
    spec = {**item.body["spec"], "postgresVersion": entry.newest_postgres + 1}
    with pytest.raises(VrooliError, match="postgresVersion"):
        await kube.applied({**item.body, "spec": spec}, namespace=NAMESPACE)


def test_every_version_that_claims_this_proof_is_tested() -> None:
    claimed = {
        item.title for item in versions.VERSIONS if item.facts.objects.proof is Proof.API_SERVER
    }
    assert claimed == set(FILES)
