"""The Containerfiles and the pins that they install."""

from __future__ import annotations

import re
import tomllib

import pytest

from vrooli import project

SERVICES = project.root() / "services"
NAMES = ("server", "jobs", "ui", "nsfw-detector")
REQUIREMENTS = ("shared/requirements.txt", "nsfw-detector/requirements.txt")


def _containerfile(name: str) -> str:
    return (SERVICES / name / "Containerfile").read_text()


def test_server_and_jobs_share_their_dependency_layers() -> None:
    """Layers are shared only while the stages are the same to the letter."""
    server, jobs = (
        _containerfile(name).partition("FROM ${BASE} AS python")[2].partition("COPY shared/vrooli")
        for name in ("server", "jobs")
    )
    assert server[0] == jobs[0] != ""


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
