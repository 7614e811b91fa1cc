"""The Containerfiles and the pins that they install."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from vrooli import images, project

SERVICES = project.root() / "services"
NAMES = ("server", "jobs", "ui", "nsfw-detector")
REQUIREMENTS = ("shared/requirements.txt", "nsfw-detector/requirements.txt")


def _containerfile(name: str) -> str:
    return (SERVICES / name / "Containerfile").read_text()


def test_images_with_python_share_its_layer() -> None:
    """A layer is shared only while the steps are the same to the letter."""
    files = [*SERVICES.glob("*/Containerfile"), *project.root().glob("images/*/Containerfile")]
    stages = [
        text.partition(" AS python\n")[2].partition("\n\n")[0]
        for text in map(Path.read_text, files)
        if " AS python\n" in text
    ]
    assert len(stages) >= 4  # two images of packages, the page, and its development server
    assert len(set(stages)) == 1


@pytest.mark.parametrize("name", ["server", "jobs", "rotator", "nsfw-detector"])
def test_an_edit_of_a_service_in_python_repeats_one_step(name: str) -> None:
    """The packages are the image's base: a copy from a stage would compare all of their files."""
    assert images.find_image(name).base != "base"
    steps = re.findall(r"^[A-Z]+ .*$", _containerfile(name), re.MULTILINE)
    assert not [step for step in steps if step.startswith(("RUN", "COPY --from"))]
    assert re.fullmatch(rf"COPY {name}/(\w+) /app/\1", steps[-1])


@pytest.mark.parametrize("name", NAMES)
def test_no_service_runs_as_root(name: str) -> None:
    """Kubernetes' runAsNonRoot needs a number, a name isn't enough."""
    users = re.findall(r"^USER (.*)$", _containerfile(name), re.MULTILINE)
    assert users[-1:] == ["10001:10001"]


@pytest.mark.parametrize("file", REQUIREMENTS)
def test_the_images_install_what_the_lock_file_pins(file: str) -> None:
    """After `uv lock`, scripts/helpers/export-service-requirements.sh must have run."""
    lock = tomllib.loads((project.root() / "uv.lock").read_text())
    locked = {(package["name"], package["version"]) for package in lock["package"]}
    text = (SERVICES / file).read_text()
    pinned = set(re.findall(r"^([a-z0-9-]+)(?:\[[a-z,]+\])?==([^ ;\\]+)", text, re.MULTILINE))
    assert pinned
    assert pinned <= locked


@pytest.mark.parametrize("file", [*REQUIREMENTS, "ui/node-requirements.txt"])
def test_every_pin_has_hashes_and_names_no_registry(file: str) -> None:
    """The same files must come from wherever a machine gets them."""
    text = (SERVICES / file).read_text()
    entries = re.split(r"\n(?=\S)", text.strip())
    assert all("--hash=sha256:" in entry for entry in entries)
    assert "://" not in text


def test_the_pages_lock_file_names_no_registry() -> None:
    """Npm would otherwise pin the address of whoever wrote the lock file last."""
    text = (SERVICES / "ui/package-lock.json").read_text()
    assert '"resolved"' not in text
    assert text.count('"integrity": "sha512-') > 50
