"""The live graph: what the command says of a healthy release, and what a browser shows."""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

from support.browser import chromium
from support.cluster.live import Live
from vrooli.kube import Kube

pytestmark = pytest.mark.root

VROOLI = Path(sys.executable).with_name("vrooli")
# How long a change may take to show on the page, seconds.
SHOWN_S = 120
# The detector loads its model before it is ready again, seconds.
READY_S = 240
ARROW = "connectivity/Jobs/NSFW"
DETECTOR = "vrooli-dev-nsfw-detector"


@pytest.fixture
def browser(tmp_path: Path) -> Iterator[webdriver.Chrome]:
    """A headless Chromium with an empty profile."""
    with chromium.chromium(tmp_path / "profile") as started:
        yield started


@pytest.fixture
def served(live: Live) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """The page's address, and the command that serves it."""
    argv = [str(VROOLI), "graph", "--serve", "--cluster", live.cluster]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as started:
        assert started.stdout is not None
        yield started.stdout.readline().split()[-1], started
        if started.poll() is None:
            started.kill()


def looked(live: Live) -> dict[str, Any]:
    """What the command says of the live release."""
    argv = [str(VROOLI), "graph", "--live", "--format", "json", "--cluster", live.cluster]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode in (0, 1, 3), done.stderr
    return dict(json.loads(done.stdout))


def test_a_healthy_release_has_no_broken_arrow_and_its_databases_carry_traffic(live: Live) -> None:
    result = looked(live)
    states = {
        (diagram["name"], arrow["source"], arrow["target"]): (arrow["state"], arrow["message"])
        for diagram in result["diagrams"]
        for arrow in diagram["arrows"]
    }
    assert {key: found for key, found in states.items() if found[0] == "broken"} == {}
    assert result["ok"] and result["source"] == "release"
    for source in ("Server", "Jobs"):
        for target in ("PGPrimary", "RedisMaster", "RedisSentinel"):
            assert states["connectivity", source, target][0] == "active"
    assert states["architecture", "Vault", "VSO"][0] == "active"
    # Nobody looks at the database.
    assert states["connectivity", "Adminer", "PGPrimary"][0] == "idle"


def _shows(browser: webdriver.Chrome, state: str, limit_s: float = SHOWN_S) -> None:
    """Wait until the arrow to the detector has a state, in the picture and in the table."""

    def holds(_: webdriver.Chrome) -> bool:
        row = browser.find_element(By.CSS_SELECTOR, f"[data-row='{ARROW}']")
        arrow = browser.find_element(By.CSS_SELECTOR, f"[data-arrow='{ARROW}']")
        classes = (arrow.get_attribute("class") or "").split()
        return row.get_attribute("class") == state and state in classes

    WebDriverWait(browser, limit_s).until(holds)


def _why(browser: webdriver.Chrome) -> str:
    cell = browser.find_element(By.CSS_SELECTOR, f"[data-row='{ARROW}'] .why")
    return str(cell.get_attribute("textContent"))


async def _scale(live: Live, replicas: int) -> None:
    async with await Kube.connect(live.kubeconfig) as kube:
        change = {"spec": {"replicas": replicas}}
        await kube.patch("apps/v1", "Deployment", DETECTOR, live.environment.namespace, change)


def test_the_open_page_shows_every_arrow_and_one_that_breaks_without_a_reload(
    live: Live, served: tuple[str, subprocess.Popen[str]], browser: webdriver.Chrome
) -> None:
    url, command = served
    browser.get(url)
    drawn = {
        item.get_attribute("data-arrow")
        for item in browser.find_elements(By.CSS_SELECTOR, "[data-arrow]")
    }
    wanted = {
        f"{diagram['name']}/{arrow['source']}/{arrow['target']}"
        for diagram in looked(live)["diagrams"]
        for arrow in diagram["arrows"]
    }
    assert drawn == wanted and len(drawn) > 80
    _shows(browser, "active")
    browser.execute_script("window.sameDocument = true")
    try:
        asyncio.run(_scale(live, 0))
        _shows(browser, "broken")
        assert _why(browser) == f"Deployment/{DETECTOR} is scaled to 0"
        badge = browser.find_element(By.CSS_SELECTOR, f"[data-arrow='{ARROW}'] .badge text")
        assert badge.get_attribute("textContent") == "✕"
    finally:
        asyncio.run(_scale(live, 1))
    _shows(browser, "active", READY_S)
    assert browser.execute_script("return window.sameDocument")

    command.send_signal(signal.SIGINT)
    assert command.wait(60) == 0
    banner = browser.find_element(By.ID, "away")
    WebDriverWait(browser, SHOWN_S).until(lambda _: banner.is_displayed())
    assert "connection to vrooli is lost" in banner.text
