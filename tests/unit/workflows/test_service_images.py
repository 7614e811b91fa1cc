"""A deploy names the images of the services by the digests that the artifact records."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from support.cluster.image_archives import index_entry, write_index
from support.fakes.check_site import rendered
from vrooli.artifact.model import Artifact, ArtifactChart, ArtifactImage, ArtifactSource
from vrooli.chart import values
from vrooli.chart.manifest import Manifest
from vrooli.cluster import image_archive
from vrooli.environments import ENVIRONMENTS
from vrooli.errors import UsageError
from vrooli.events import Progress
from vrooli.steps import Done
from vrooli.workflows.artifacts import service_images
from vrooli.workflows.deploys.run import DeployRun

PACKED, PUSHED, OTHER = (f"sha256:{digit * 64}" for digit in "abc")
REGISTRY = {"image": {"registry": "r.example:5000/vrooli"}}
SERVICES = ("ui", "server", "jobs", "rotator")


def _artifact(*images: ArtifactImage) -> Artifact:
    return Artifact(
        version="1.2.3",
        tagged=True,
        chart=ArtifactChart(name="vrooli", version="1", package="vrooli.tgz"),
        source=ArtifactSource(revision=None, modified=False, time=datetime(2026, 1, 1, tzinfo=UTC)),
        environments={},
        images=images,
        files={},
    )


def _image(service: str, *names: str, pushed: bool = True, packed: bool = True) -> ArtifactImage:
    return ArtifactImage(
        service=service,
        references=names,
        digest=PACKED if packed else None,
        archive="images/services.tar" if packed else None,
        pushed=dict.fromkeys(names, PUSHED) if pushed else {},
    )


def _images(manifests: tuple[Manifest, ...]) -> set[str]:
    """All images of pods, those of hooks and tests included."""
    images = set[str]()

    def collect(part: Any) -> None:
        if isinstance(part, dict):
            if isinstance(image := part.get("image"), str):
                images.add(image)
            part = list(part.values())
        for inner in part if isinstance(part, list) else ():
            collect(inner)

    for manifest in manifests:
        collect(manifest.body)
    return images


def _pinned(kind: str, artifact: Artifact, **changes: Any) -> tuple[set[str], set[str]]:
    """The images that a kind of cluster is deployed with, and those that have a digest."""
    chosen = values.merge(values.load(ENVIRONMENTS["dev"]), changes)
    recorded = service_images.digests(artifact, kind)
    result, used = service_images.pin(chosen, rendered(**changes), recorded)
    return _images(rendered(**result)), {f"{name}@{digest}" for name, digest in used.items()}


def _of_registry(**settings: bool) -> Artifact:
    names = {service: f"r.example:5000/vrooli/{service}:dev" for service in SERVICES}
    return _artifact(*(_image(service, name, **settings) for service, name in names.items()))


@pytest.mark.parametrize(("kind", "digest"), [("context", PUSHED), ("embedded", PACKED)])
def test_every_pod_of_a_recorded_image_has_the_digest_that_the_cluster_gets(
    kind: str, digest: str
) -> None:
    images, used = _pinned(kind, _of_registry(), **REGISTRY)
    assert used == {f"r.example:5000/vrooli/{name}:dev@{digest}" for name in SERVICES}
    assert used == {image for image in images if image.startswith("r.example:5000/vrooli/")} - {
        image for image in images if "nsfw-detector" in image or "adminer" in image
    }


def test_clusters_with_tags_only_and_images_without_a_digest_use_tags() -> None:
    for kind, artifact in (
        ("kind", _of_registry()),
        ("minikube", _of_registry()),
        ("context", _of_registry(pushed=False)),
        ("embedded", _of_registry(packed=False)),
    ):
        images, used = _pinned(kind, artifact, **REGISTRY)
        assert not used
        assert not [image for image in images if PACKED in image or PUSHED in image]


def test_only_the_names_of_this_environment_get_a_digest() -> None:
    other = _artifact(_image("server", "r.example/prod/server:1"))
    images, used = _pinned("context", other, **REGISTRY)
    assert not used
    assert "r.example:5000/vrooli/server:dev" in images


def test_a_digest_in_the_values_stays() -> None:
    named = f"dev@{OTHER}"
    changes = {**REGISTRY, "services": {"server": {"tag": named}}}
    artifact = _artifact(_image("server", f"r.example:5000/vrooli/server:{named}", pushed=False))
    images, used = _pinned("embedded", artifact, **changes)
    assert not used
    assert f"r.example:5000/vrooli/server:{named}" in images


def test_the_tests_of_another_repository_do_not_get_the_servers_digest() -> None:
    changes = {**REGISTRY, "tests": {"image": {"repository": "mirror.example/python"}}}
    images, _ = _pinned("context", _of_registry(), **changes)
    assert "mirror.example/python:dev" in images


ARCHIVE = "images/services.tar"
RECORDED = {f"r.example:5000/vrooli/{service}:dev": PACKED for service in SERVICES}
SERVER = "r.example:5000/vrooli/server:dev"


def test_an_archive_with_the_recorded_images_is_accepted() -> None:
    service_images.demand_recorded(_of_registry(), ARCHIVE, RECORDED)


@pytest.mark.parametrize(
    ("archived", "message"),
    [
        (
            {**RECORDED, SERVER: OTHER},
            f"{SERVER} with the digest {OTHER}.*names {SERVER}.*{PACKED}",
        ),
        ({name: PACKED for name in RECORDED if name != SERVER}, f"no image {SERVER}"),
        ({**RECORDED, "k8s.io/pause:1": PACKED}, "names no image k8s.io/pause:1"),
        ({}, "contains no image"),
    ],
    ids=["other content", "a missing image", "a further image", "no image"],
)
def test_an_archive_that_differs_from_the_record_is_refused(
    archived: dict[str, str], message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        service_images.demand_recorded(_of_registry(), ARCHIVE, archived)


def test_the_images_of_another_archive_are_not_expected_in_this_one() -> None:
    image = _image("server", SERVER)
    artifact = _artifact(image, _image("ui", "r.example/ui:1").model_copy(update={"archive": "b"}))
    service_images.demand_recorded(artifact, ARCHIVE, {SERVER: PACKED})


def test_numbered_pods_have_the_digest_too() -> None:
    workload = {"services": {"jobs": {"workload": {"kind": "StatefulSet"}}}}
    images, used = _pinned("context", _of_registry(), **REGISTRY, **workload)
    assert f"r.example:5000/vrooli/jobs:dev@{PUSHED}" in images & used


@pytest.mark.anyio
async def test_what_was_compared_is_loaded_even_if_the_archive_is_replaced(tmp_path: Path) -> None:
    def write(name: str, digest: str) -> Path:
        entry = index_entry(image_archive.NAME_ANNOTATIONS[0], "")
        entry = {**entry, "digest": digest}
        entry["annotations"] = {image_archive.NAME_ANNOTATIONS[0]: SERVER}
        return write_index(tmp_path / name, {"manifests": [entry]})

    class Replacing:
        kind = "kind"

        async def load_images(self, archive: Path, _: Progress) -> Done:
            write("other.tar", OTHER).replace(tmp_path / "images.tar")
            self.loaded = image_archive.digests(archive)
            return Done(True, "")

    write("images.tar", PACKED)
    run: Any = object.__new__(DeployRun)
    image = _image("server", SERVER).model_copy(update={"archive": "images.tar"})
    run.artifact, run.digests = _artifact(image), {}
    run.options = SimpleNamespace(folder=tmp_path)
    run.reached = SimpleNamespace(cluster=Replacing())
    with pytest.raises(UsageError, match="was changed while its images were loaded"):
        await run.load_images(Progress())
    assert run.reached.cluster.loaded == {SERVER: PACKED}
