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
from selenium.webdriver.support.expected_conditions import staleness_of
from selenium.webdriver.support.ui import WebDriverWait
from selenium_axe_python import Axe

from support.browser import chromium, page
from support.browser.pictures import drawn_face, landscape
from support.cluster.live import Live

pytestmark = pytest.mark.root

# How long a verdict may take to show on the page, seconds.
SHOWN_S = 120
# The least height of a button for a finger: WCAG 2.2, 2.5.8.
TOUCH_PX = 24


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


def test_a_post_is_deleted_by_who_sent_it_after_a_question(
    live: Live, browser: webdriver.Chrome
) -> None:
    """It disappears from this page and from others, which offer to delete only what they sent."""
    text = f"deleted at {time.time_ns()}"
    others = f"posted by somebody else at {time.time_ns()}"
    page.post(live.urls["ui"], others)
    browser.get(live.urls["ui"])
    browser.find_element(By.ID, "text").send_keys(text, Keys.CONTROL, Keys.ENTER)
    assert _card(browser, others).find_elements(By.CSS_SELECTOR, ".own button") == []
    own = _card(browser, text)
    WebDriverWait(browser, SHOWN_S).until(
        lambda _: own.find_elements(By.CSS_SELECTOR, ".own button")
    )
    own.find_element(By.XPATH, ".//button[text()='Delete']").click()
    assert browser.switch_to.active_element.text == "Keep"
    with page.listening(live.urls["ui"]) as listener:
        own.find_element(By.XPATH, ".//button[text()='Delete post']").click()
        WebDriverWait(browser, SHOWN_S).until(staleness_of(own))
        WebDriverWait(browser, SHOWN_S).until(lambda _: listener.heard("deleted"))
    browser.refresh()
    assert _card(browser, others).is_displayed()
    assert browser.find_elements(By.XPATH, f"//article[.//*[contains(text(), '{text}')]]") == []


def test_a_phone_shows_the_form_the_system_and_the_posts_below_each_other(
    live: Live, browser: webdriver.Chrome
) -> None:
    """In the order in which the keyboard and a screen reader go through them, and in its width."""
    size = {"width": 390, "height": 844, "deviceScaleFactor": 1, "mobile": True}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    page.post(live.urls["ui"], "Seen on a phone")
    browser.get(live.urls["ui"])
    _card(browser, "Seen on a phone")
    parts = [
        browser.find_element(By.CSS_SELECTOR, selector).rect
        for selector in ("form", "aside", "main > section")
    ]
    ends = [part["y"] + part["height"] for part in parts[:-1]]
    assert all(end <= part["y"] for end, part in zip(ends, parts[1:], strict=True))
    assert browser.execute_script("return document.documentElement.scrollWidth") == 390
    buttons = browser.find_elements(By.CSS_SELECTOR, "button, label.button")
    shown = [button.rect for button in buttons if button.is_displayed()]
    assert min(rect["height"] for rect in shown) >= TOUCH_PX
