"""The lookup of updates and vulnerabilities: recorded, limited in time, never an error."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from vrooli.errors import PrerequisiteError
from vrooli.images.updates import Update
from vrooli.vulnerabilities import inventory, lookup, osv
from vrooli.vulnerabilities.inventory import Pin
from vrooli.vulnerabilities.lookup import Lookup
from vrooli.vulnerabilities.osv import Finding

A, B = Pin("PyPI", "a", "1", "uv.lock"), Pin("Go", "b", "2", "go.mod")


class Services:
    """The archive of Debian and the database of OSV, as they answer now."""

    def __init__(self) -> None:
        self.asked = 0
        self.reads: list[bool] = []
        self.error: Exception | None = None
        self.delay_s = 0.0

    async def updates(self, builder: object, progress: object, *, reads_images: bool) -> Any:
        self.reads.append(reads_images)
        await self._answer()
        found = (Update("libssl3", "1", "2"),)
        return {"redis": found, "base": found}

    async def findings(self, pins: object) -> list[Finding]:
        await self._answer()
        return [Finding(A, "GHSA-x")]

    async def _answer(self) -> None:
        self.asked += 1
        await asyncio.sleep(self.delay_s)
        if self.error is not None:
            raise self.error


@pytest.fixture
def services(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Services:
    made = Services()

    async def detect() -> None:
        return None

    monkeypatch.setenv("VROOLI_CACHE_DIR", str(tmp_path))
    monkeypatch.setattr(lookup, "detect", detect)
    monkeypatch.setattr(lookup.updates, "find_all", made.updates)
    monkeypatch.setattr(osv, "find", made.findings)
    monkeypatch.setattr(inventory, "read", lambda: [A, B])
    return made


def _current(limit_s: float = 60.0, *, reads_images: bool = False) -> Lookup:
    return asyncio.run(lookup.current(limit_s, reads_images=reads_images))


def _age(path: Path, age: timedelta) -> None:
    file = path / "package-lookup.json"
    saved = json.loads(file.read_text())
    file.write_text(json.dumps({**saved, "time": (datetime.now(UTC) - age).isoformat()}))


def test_a_lookup_is_made_once_a_day(services: Services, tmp_path: Path) -> None:
    first = _current(reads_images=True)
    assert first.updates == ("libssl3 1 → 2",)
    assert first.vulnerabilities == ("GHSA-x: a 1",)
    assert first.unchecked == ()
    assert services.reads == [True]
    assert _current() == first
    _age(tmp_path, timedelta(hours=23))
    _current()
    assert services.asked == 2
    _age(tmp_path, timedelta(hours=25))
    _current()
    assert services.asked == 4


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (httpx.ConnectError("no route"), "no route"),
        (osv.UncheckedError("https://osv.test: blocked"), "https://osv.test: blocked"),
        (ValueError("it is no index"), "it is no index"),
        (OSError(28, "No space left on device"), "No space left on device"),
    ],
)
def test_what_could_not_be_looked_up_is_reported_and_tried_again_after_an_hour(
    services: Services, tmp_path: Path, error: Exception, reason: str
) -> None:
    services.error = error
    result = _current()
    assert (result.updates, result.vulnerabilities) == ((), ())
    assert [text.partition(": ")[0] for text in result.unchecked] == [
        "updates of images",
        "vulnerabilities",
    ]
    assert all(reason in text for text in result.unchecked)
    assert _current() == result
    services.error = None
    _age(tmp_path, timedelta(minutes=61))
    assert _current().unchecked == ()


def test_a_slow_service_ends_with_its_time(services: Services) -> None:
    services.delay_s = 600
    began = datetime.now(UTC)
    result = _current(0.05)
    assert datetime.now(UTC) - began < timedelta(seconds=60)
    assert result.unchecked == (
        "updates of images: no answer within 0 s",
        "vulnerabilities: no answer within 0 s",
    )


def test_other_packages_and_newer_images_are_looked_up_again(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    _current()
    monkeypatch.setattr(inventory, "fingerprint", lambda: "other")
    _current()
    assert services.asked == 4
    built = (datetime.now(UTC) + timedelta(seconds=1)).timestamp()
    monkeypatch.setattr(lookup.records, "last_build", lambda: built)
    _current()
    assert services.asked == 6


def test_a_machine_without_a_builder_has_no_images(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def detect() -> None:
        raise PrerequisiteError("None of buildah, podman and docker can build images here.")

    monkeypatch.setattr(lookup, "detect", detect)
    result = _current()
    assert (result.updates, result.unchecked) == ((), ())


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"time": "never"}', '{"time": 1}'])
def test_an_invalid_record_is_no_record(services: Services, tmp_path: Path, content: str) -> None:
    (tmp_path / "package-lookup.json").write_text(content)
    assert lookup.read() is None
    assert _current().updates


def test_a_cache_that_cannot_be_written_costs_only_another_lookup(
    services: Services, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("VROOLI_CACHE_DIR", str(tmp_path / "file"))
    assert _current() != _current()
    assert services.asked == 4
