"""What a person does and sees: a real browser on the page of the live release."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import WebDriverWait
from selenium_axe_python import Axe

from support.browser import chromium
from support.browser.pictures import drawn_face, landscape
from support.cluster.live import Live

pytestmark = pytest.mark.root

# How long a verdict may take to show on the page, seconds.
SHOWN_S = 120


@pytest.fixture
def browser(tmp_path: Path) -> Iterator[webdriver.Chrome]:
    """A headless Chromium with an empty profile."""
    with chromium.chromium(tmp_path / "profile", size="1280,900") as started:
        yield started


def _card(browser: webdriver.Chrome, text: str) -> WebElement:
    """The post with that text."""
    path = f"//article[contains(@class, 'post')][.//*[contains(text(), '{text}')]]"
    return WebDriverWait(browser, SHOWN_S).until(lambda _: browser.find_element(By.XPATH, path))


@pytest.mark.parametrize(
    ("picture", "state", "words"),
    [(landscape, "approved", "Approved"), (drawn_face, "refused", "Refused")],
)
def test_a_posted_picture_s_verdict_shows_without_a_reload(
    live: Live,
    browser: webdriver.Chrome,
    tmp_path: Path,
    picture: Callable[[], bytes],
    state: str,
    words: str,
) -> None:
    file = tmp_path / "drawn.png"
    file.write_bytes(picture())
    text = f"seen by a browser at {time.time_ns()}"
    browser.get(live.urls["ui"])
    browser.find_element(By.ID, "text").send_keys(text)
    browser.find_element(By.ID, "picture").send_keys(str(file))
    browser.find_element(By.CSS_SELECTOR, "button[type=submit]").click()

    card = _card(browser, text)
    WebDriverWait(browser, SHOWN_S).until(lambda _: card.get_attribute("data-state") == state)
    assert words in card.text
    shown = card.find_elements(By.CSS_SELECTOR, "img.picture")
    assert len(shown) == (1 if state == "approved" else 0)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_the_page_is_accessible(
    live: Live, browser: webdriver.Chrome, scheme: str, width: int
) -> None:
    """No violation of the rules of axe: contrast, names, roles, labels and structure."""
    media = {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
    size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", media)
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    browser.get(live.urls["ui"])
    browser.find_element(By.ID, "text").send_keys("A post that was not sent yet")
    WebDriverWait(browser, SHOWN_S).until(
        lambda _: browser.find_element(By.CSS_SELECTOR, ".health .state").text == "All systems up"
    )
    axe = Axe(browser)
    axe.inject()
    violations = axe.run()["violations"]
    assert [(item["id"], [node["html"] for node in item["nodes"]]) for item in violations] == []


def test_the_focus_is_visible_on_the_button_for_a_picture(
    live: Live, browser: webdriver.Chrome
) -> None:
    """The file input is hidden; its label shows the ring."""
    browser.get(live.urls["ui"])
    browser.find_element(By.ID, "text").send_keys(Keys.TAB)
    label = browser.find_element(By.CSS_SELECTOR, "label[for=picture]")
    assert browser.switch_to.active_element.get_attribute("id") == "picture"
    assert label.value_of_css_property("outline-style") == "solid"


def test_a_post_can_be_sent_from_the_keyboard(live: Live, browser: webdriver.Chrome) -> None:
    text = f"typed at {time.time_ns()}"
    browser.get(live.urls["ui"])
    area = browser.find_element(By.ID, "text")
    area.send_keys(text, Keys.CONTROL, Keys.ENTER)
    assert _card(browser, text).is_displayed()
    WebDriverWait(browser, SHOWN_S).until(lambda _: area.get_attribute("value") == "")
    assert browser.switch_to.active_element == area
