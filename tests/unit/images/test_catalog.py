"""The catalog agrees with the Containerfiles."""

import re
from pathlib import Path

import pytest

from vrooli import project
from vrooli.errors import UsageError
from vrooli.images import catalog
from vrooli.images.catalog import IMAGES, Image
from vrooli.operators.catalog import OPERATORS

by_name = pytest.mark.parametrize("image", IMAGES.values(), ids=lambda image: image.name)


@by_name
def test_every_image_has_a_containerfile(image: Image) -> None:
    assert image.containerfile.is_file()


def test_every_containerfile_has_an_image() -> None:
    found = {path.parent for part in ("images", "services") for path in _containerfiles(part)}
    assert found == {image.containerfile.parent for image in IMAGES.values()}


@by_name
def test_the_containerfile_stands_on_what_the_catalog_says(image: Image) -> None:
    first = re.findall(r"^FROM (\S+)", image.containerfile.read_text(), re.MULTILINE)[0]
    assert first == ("scratch" if image.base is None else "${BASE}")


@by_name
def test_the_containerfile_copies_the_programs_that_the_catalog_names(image: Image) -> None:
    copied = re.findall(
        r"^COPY --from=programs --chmod=0755 (\S+)", image.containerfile.read_text(), re.MULTILINE
    )
    assert tuple(copied) == image.programs


@pytest.mark.parametrize("name", sorted(IMAGES.keys() - {"base"}))
def test_the_image_runs_as_a_numbered_user_that_is_not_root(name: str) -> None:
    users = re.findall(r"^USER (.+)$", IMAGES[name].containerfile.read_text(), re.MULTILINE)
    assert re.fullmatch(r"[1-9]\d*:\d+", users[-1])  # the kubelet can't tell who a name is


def test_bases_come_before_what_stands_on_them() -> None:
    names = [image.name for image in catalog.with_bases(["postgres"])]
    assert names == ["base", "postgresql", "postgres"]


def test_an_unknown_image_is_refused_with_the_known_ones() -> None:
    with pytest.raises(UsageError) as caught:
        catalog.with_bases(["nginx"])
    assert "redis" in caught.value.advice


def test_what_is_built_without_programs_needs_none_that_is_made() -> None:
    assert catalog.programs_of(catalog.WITHOUT_PROGRAMS) <= {"bao"}  # which a wheel brings


def test_the_parts_are_all_images() -> None:
    parts = {*catalog.WITHOUT_PROGRAMS, *catalog.WITH_PROGRAMS, *catalog.SERVICES}
    assert parts | {*catalog.DEVELOPMENT} == IMAGES.keys()


def _containerfiles(part: str) -> list[Path]:
    return list((project.root() / part).glob("*/Containerfile"))


def test_the_images_of_operators_are_built_under_the_names_that_their_pods_use() -> None:
    built = {image.reference for image in IMAGES.values()}
    used = {
        image
        for operator in OPERATORS
        for distribution in operator.distributions.values()
        for image in distribution.images
    }
    assert used
    assert used <= built
