"""Known vulnerabilities: what is looked up, and what is reported where it cannot be."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from vrooli.events import Event, Outcome, StepEnded
from vrooli.vulnerabilities import accepted, inventory, osv
from vrooli.vulnerabilities.inventory import Pin
from vrooli.workflows.results.suites import CaseView
from vrooli.workflows.suites import vulnerabilities

PINS = [Pin("PyPI", "a", "1", "uv.lock"), Pin("npm", "@b/c", "2", "package-lock.json")]
Answer = Callable[[dict[str, Any]], httpx.Response]


def _check(monkeypatch: pytest.MonkeyPatch, answer: Answer) -> tuple[CaseView, StepEnded]:
    """The case and its event, with a database that answers so."""

    async def post(client: httpx.AsyncClient, url: str, json: dict[str, Any]) -> httpx.Response:
        response = answer(json)
        response.request = httpx.Request("POST", f"https://osv.test{url}")
        return response

    events: list[Event] = []
    monkeypatch.setattr(httpx.AsyncClient, "post", post)
    monkeypatch.setattr(inventory, "read", lambda: PINS)
    case = asyncio.run(
        vulnerabilities._case(vulnerabilities.PINS, vulnerabilities._check_pins, events.append)
    )
    ended = events[-1]
    assert isinstance(ended, StepEnded)
    return case, ended


def _results(*results: dict[str, Any]) -> Answer:
    return lambda body: httpx.Response(200, json={"results": list(results)})


def test_packages_without_findings_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    case, ended = _check(monkeypatch, _results({}, {}))
    assert (case.passed, case.checked, case.log) == (True, True, "")
    assert (ended.outcome, ended.detail) == (Outcome.UNCHANGED, "none in 2 packages")


def test_a_finding_names_the_package_and_its_file(monkeypatch: pytest.MonkeyPatch) -> None:
    case, ended = _check(monkeypatch, _results({}, {"vulns": [{"id": "GHSA-x"}]}))
    assert (case.passed, case.checked) == (False, True)
    assert case.log == "GHSA-x: @b/c 2 (package-lock.json)"
    assert ended.outcome is Outcome.FAILED


@pytest.mark.parametrize("is_advisory", [False, True])
def test_a_finding_fails_only_a_run_that_asks_for_it(
    monkeypatch: pytest.MonkeyPatch, *, is_advisory: bool
) -> None:
    async def failed() -> vulnerabilities.Verdict:
        return Outcome.FAILED, "GHSA-x: a 1 (uv.lock)"

    async def unchecked() -> vulnerabilities.Verdict:
        return Outcome.CANCELLED, "could not check: no images"

    monkeypatch.setattr(vulnerabilities, "_check_pins", failed)
    monkeypatch.setattr(vulnerabilities, "_check_images", unchecked)
    events: list[Event] = []
    pins, _ = asyncio.run(vulnerabilities.check(events.append, is_advisory=is_advisory))
    assert (pins.passed, pins.log) == (is_advisory, "GHSA-x: a 1 (uv.lock)")


def test_all_pages_of_an_answer_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    def answer(body: dict[str, Any]) -> httpx.Response:
        tokens = [query.get("page_token") for query in body["queries"]]
        if tokens == ["more"]:
            return httpx.Response(200, json={"results": [{"vulns": [{"id": "second"}]}]})
        first = {"vulns": [{"id": "first"}], "next_page_token": "more"}
        return httpx.Response(200, json={"results": [first, {}]})

    case, _ = _check(monkeypatch, answer)
    assert case.log == "first: a 1 (uv.lock)\nsecond: a 1 (uv.lock)"


def test_an_accepted_finding_passes_and_a_stale_one_does_not(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = tmp_path / "accepted.toml"
    monkeypatch.setattr(accepted, "FILE", file)
    file.write_text('GHSA-x = "not called"\n')
    found = _results({"vulns": [{"id": "GHSA-x"}]}, {})
    assert _check(monkeypatch, found)[0].passed
    case, _ = _check(monkeypatch, _results({}, {}))
    assert case.log == "GHSA-x is accepted in accepted.toml, but no package has it"
    assert not case.passed


def _unreachable(body: dict[str, Any]) -> httpx.Response:
    raise httpx.ConnectError("no route")


@pytest.mark.parametrize(
    "answer",
    [
        _unreachable,
        lambda body: httpx.Response(403, text="blocked by a proxy"),
        lambda body: httpx.Response(200, text="<html>a login page</html>"),
        lambda body: httpx.Response(200, json=[]),
        _results({}),
        _results({}, {"vulns": ["no object"]}),
        _results({"next_page_token": "again"}, {"next_page_token": "again"}),
    ],
)
def test_a_database_that_cannot_be_asked_is_never_reported_as_checked(
    monkeypatch: pytest.MonkeyPatch, answer: Answer
) -> None:
    case, ended = _check(monkeypatch, answer)
    assert (case.passed, case.checked) == (True, False)
    assert case.log.startswith("could not check: https://api.osv.dev")
    assert ended.outcome is Outcome.CANCELLED


def test_every_lock_file_is_looked_up() -> None:
    pins = inventory.read()
    assert {pin.ecosystem for pin in pins} == {"Go", "PyPI", "npm"}
    names = {pin.name: pin for pin in pins}
    assert {"httpx", "serve", "stdlib", "github.com/opencontainers/runc"} <= names.keys()
    # The module that is built in place of another one.
    assert "github.com/containous/minheap" in names
    assert "github.com/mailgun/minheap" not in names
    assert all(pin.version and not pin.version.startswith("v") for pin in pins)


def test_only_names_and_versions_are_sent() -> None:
    assert json.dumps(osv._query(PINS[1])) == (
        '{"package": {"ecosystem": "npm", "name": "@b/c"}, "version": "2"}'
    )
