"""The page: all of it in one file, and nothing that was seen is ever taken for a part of it."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from html.parser import HTMLParser

from support.diagnosis.evidence import evidence, happening, pod, pod_of, with_objects
from support.secrets.recorded_failure import HOSTILE, SERVER, WAITING, contents, settled
from vrooli import inert
from vrooli.diagnosis.bundle import archive
from vrooli.diagnosis.evidence.model import Evidence, LogSource
from vrooli.kube.objects import Ref
from vrooli.kube.unavailable import Unavailable
from vrooli.redaction import Redactor

# Elements that the page itself has.
OWN_SCRIPTS = 2


class Elements(HTMLParser):
    """The elements and texts of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.names: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.texts: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.append(tag)
        self.attributes += attrs

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def page(seen: Evidence) -> str:
    return archive.files(contents(seen, Redactor()))["page.html"]


def hostile() -> Evidence:
    """A release whose every name, reason and line tries to be a part of the page."""
    sick = pod_of(SERVER, ready=False, state=WAITING, phase=HOSTILE)
    sick["metadata"]["annotations"] = {HOSTILE: HOSTILE}
    sick["status"]["containerStatuses"][0]["image"] = HOSTILE
    seen = with_objects(settled(), sick, pod(HOSTILE))
    about = Ref("Pod", HOSTILE, HOSTILE)
    return replace(
        seen,
        release=HOSTILE,
        events=[happening(about, HOSTILE, HOSTILE)],
        logs={LogSource("dev", HOSTILE, HOSTILE): [HOSTILE, "<!--{script}-->", "\x1b[31mred"]},
        unavailable=(Unavailable(HOSTILE, HOSTILE),),
    )


def test_nothing_that_was_seen_becomes_a_part_of_the_page() -> None:
    found = Elements(page(hostile()))
    assert found.names.count("script") == OWN_SCRIPTS
    assert "img" not in found.names
    assert not [name for name, _ in found.attributes if name.startswith("on")]
    assert "alert(1)" in " ".join(found.texts)


def test_no_file_of_the_bundle_has_a_control_character() -> None:
    controls = "a\x1b[2J\x9b1m\x7f\u202e\u200b\u2028\x00b"
    seen = replace(
        hostile(),
        events=[happening(Ref("Pod", controls, controls), controls, controls)],
        logs={LogSource("dev", controls, controls): [controls]},
        unavailable=(Unavailable(controls, controls),),
    )
    for name, text in archive.files(contents(seen, Redactor())).items():
        bad = {sign for sign in text if sign not in "\n\t" and not inert.is_shown(sign)}
        assert not bad, name


def test_lines_that_look_like_the_templates_slots_stay_lines() -> None:
    text = page(hostile())
    assert text.count('"use strict"') == 1
    data = re.search(r'id="log-data">(.*?)</script>', text, re.DOTALL)
    assert data is not None
    assert json.loads(data[1]) == {f"dev/{HOSTILE}/{HOSTILE}": [HOSTILE, "<!--{script}-->", "red"]}


def test_it_loads_nothing_and_allows_only_its_own_script() -> None:
    found = Elements(page(hostile()))
    loads = {name for name, _ in found.attributes} & {"src", "srcset", "action", "data"}
    assert loads == set()
    assert "link" not in found.names
    (policy,) = [value for _, value in found.attributes if value and "default-src" in value]
    assert "default-src 'none'" in policy
    assert "script-src 'sha256-" in policy


def test_a_cause_is_shown_with_its_remedy_and_command() -> None:
    sick = pod_of(SERVER, ready=False, state=WAITING, phase="Pending")
    texts = " ".join(Elements(page(with_objects(settled(), sick))).texts)
    assert f"Deployment/{SERVER}" in texts
    assert "cannot be pulled: " in texts
    assert "(ImagePullBackOff: Back-off pulling image)" in texts
    assert f"kubectl describe deployment/{SERVER} -n dev" in texts
    assert "1 root cause found" in texts


def test_a_healthy_release_is_said_to_be_well() -> None:
    text = page(evidence(pod_of(SERVER)))
    assert "no problem found" in text
    assert 'class="cause"' not in text


def test_objects_in_trouble_come_first() -> None:
    text = page(evidence(pod("calm"), pod("sick", ready=False)))
    assert text.index("<td>sick</td>") < text.index("<td>calm</td>")
