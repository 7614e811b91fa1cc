"""The packages of an image, and the bill of materials that lists them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from vrooli.artifact import sbom
from vrooli.events import Progress
from vrooli.images import BuiltImage, contents, go_modules, records
from vrooli.images.builders.buildah import Buildah
from vrooli.images.contents import Package

LOCK = {
    "packages": {
        "node_modules/serve": {"version": "14.2.5"},
        "node_modules/@zeit/schemas": {"version": "2.36.0"},
        "node_modules/a/node_modules/b": {"version": "1.0.0"},
    }
}
OUTPUT = (
    "deb\tlibc6\t2.36-9+deb12u10\npypi\tanyio\t4.16.0\npypi\tanyio\t4.16.0\n"
    "generic\tnodejs\tv24.1.0\n" + json.dumps(LOCK, indent=2) + "\n" + json.dumps(LOCK) + "\n"
)
DIGEST = "sha256:" + "a" * 64
TIME = datetime(2026, 1, 2, tzinfo=UTC)


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A cache of the test's own."""
    monkeypatch.setenv("VROOLI_CACHE_DIR", str(tmp_path))


class _Builder(Buildah):
    count = 0

    async def run(self, image_id: str, argv: Sequence[str]) -> str:
        self.count += 1
        assert (image_id, argv[-1]) == ("id", contents.SCRIPT)
        return OUTPUT


def test_packages_of_every_kind_are_listed_once() -> None:
    image = BuiltImage("ui", "ui", "hash", "id", built=False)
    found = asyncio.run(contents.read({"ui": image}, Progress(), builder=_Builder()))
    assert found["ui"] == (
        Package("deb", "libc6", "2.36-9+deb12u10"),
        Package("generic", "nodejs", "24.1.0"),
        Package("npm", "@zeit/schemas", "2.36.0"),
        Package("npm", "b", "1.0.0"),
        Package("npm", "serve", "14.2.5"),
        Package("pypi", "anyio", "4.16.0"),
    )


def test_an_image_is_read_once_for_its_content_and_reader(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    builder, image = _Builder(), BuiltImage("ui", "ui", "hash", "id", built=False)
    found = [
        asyncio.run(contents.read({"ui": image}, Progress(), builder=builder)) for _ in range(2)
    ]
    assert found[0] == found[1] == contents.recorded({"ui": image})
    assert builder.count == 1
    other = replace(image, id="other")
    assert contents.recorded({"ui": other}) == {}
    monkeypatch.setattr(contents, "SCRIPT", "another reader")
    assert contents.recorded({"ui": image}) == {}


def test_images_of_programs_have_modules_and_are_omitted_without_a_record(tmp_path: Path) -> None:
    images = {
        name: BuiltImage(name, name, "hash", image_id, built=False)
        for name, image_id in (("traefik", "t"), ("coredns", "c"), ("ui", "id"))
    }
    records.save_contents(
        records.MODULES, "t", go_modules.READER, [("github.com/traefik/traefik/v3", "v3.6.19")]
    )
    read = contents.read_with_modules(images, Progress(), builder=_Builder())
    found = asyncio.run(read)
    assert found.keys() == {"traefik", "ui"}
    assert found["traefik"] == (Package("golang", "github.com/traefik/traefik/v3", "v3.6.19"),)
    assert Package("pypi", "anyio", "4.16.0") in found["ui"]


def test_the_packages_of_removed_images_are_deleted() -> None:
    for image_id in ("sha256:1", "sha256:2"):
        records.save_contents(records.PACKAGES, image_id, "reader", [("deb", "a", "1")])
    records.retain_contents({"sha256:2"})
    assert records.read_contents(records.PACKAGES, "sha256:1", "reader") is None
    assert records.read_contents(records.PACKAGES, "sha256:2", "reader") == [["deb", "a", "1"]]


def test_an_image_without_packages_of_node_is_read() -> None:
    assert contents.parse("deb\tlibc6\t2.36\n") == (Package("deb", "libc6", "2.36"),)


def _text(*services: str) -> str:
    found = contents.parse(OUTPUT)
    images = {service: sbom.Contents(DIGEST, found) for service in services}
    return sbom.text("vrooli", "1.2.3", TIME, images)


def test_the_bill_of_materials_is_valid_and_the_same_in_any_order() -> None:
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(_text("ui", "server")) is None
    assert _text("ui", "server") == _text("server", "ui")


def test_other_content_has_another_serial_number() -> None:
    numbers = {json.loads(_text(*names))["serialNumber"] for names in (("ui",), ("ui", "jobs"))}
    assert len(numbers) == 2


def test_each_image_depends_on_its_packages() -> None:
    dependencies = {
        entry["ref"]: entry.get("dependsOn", [])
        for entry in json.loads(_text("ui"))["dependencies"]
    }
    assert dependencies["root"] == ["image:ui"]
    assert "pkg:npm/serve@14.2.5" in dependencies["image:ui"]
    assert len(dependencies["image:ui"]) == 6
