"""Tags are written into a values file's text, and nothing else of it changes."""

from __future__ import annotations

import difflib

import pytest
from ruamel.yaml import YAML

from vrooli.artifact import tags
from vrooli.environments import ENVIRONMENTS
from vrooli.errors import UsageError

WANTED = dict.fromkeys(tags.SERVICES, "1.2.3")


def _tags(text: str) -> dict[str, str]:
    values = YAML(typ="safe", pure=True).load(text)
    found = {}
    for name, path in tags.TAGS.items():
        value = values
        for key in path:
            value = value[key]
        found[name] = value
    return found


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_only_the_lines_of_the_four_tags_change_in_the_projects_own_files(name: str) -> None:
    text = ENVIRONMENTS[name].values_file.read_text()
    changed = tags.set_tags(text, "1.2.3", name)
    assert _tags(changed) == WANTED
    lines = [
        line
        for line in difflib.ndiff(text.splitlines(), changed.splitlines())
        if line.startswith(("+", "-"))
    ]
    assert [line.split()[1] for line in lines] == ["tag:"] * 8


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        (
            "# a\nservices:\n  jobs: {tag: x}   # b\n  ui:\n    tag: 'y'  # c\n    z: 1\n"
            "  server: {a: 1, tag: z}\nrotation: {tag: x}  # d\n",
            '# a\nservices:\n  jobs: {tag: "1"}   # b\n  ui:\n    tag: "1"  # c\n    z: 1\n'
            '  server: {a: 1, tag: "1"}\nrotation: {tag: "1"}  # d\n',
        ),
        (
            "services:\n  ui:\n    tag: # none yet\n    a: 1\n  server:\n    a: 1 # b\n"
            "  jobs: # empty\nx: 1\nrotation: {enabled: true}\n",
            'services:\n  ui:\n    tag: "1" # none yet\n    a: 1\n  server:\n    tag: "1"\n'
            '    a: 1 # b\n  jobs: {tag: "1"} # empty\nx: 1\n'
            'rotation: {tag: "1", enabled: true}\n',
        ),
        (
            "services:\r\n  ui: {}\r\n  server: {a: 1}\r\n  jobs: ~\r\nrotation: ~\r\n",
            'services:\r\n  ui: {tag: "1"}\r\n  server: {tag: "1", a: 1}\r\n  jobs: {tag: "1"}\r\n'
            'rotation: {tag: "1"}\r\n',
        ),
    ],
    ids=["comments and order", "missing tags", "flow mappings and CRLF"],
)
def test_the_text_around_a_tag_stays_as_it_was(text: str, wanted: str) -> None:
    assert tags.set_tags(text, "1", "v.yaml") == wanted


@pytest.mark.parametrize("text", ["", "# nothing\n", "a: 1\n", "services:\n", "services: {}", "{}"])
def test_what_is_missing_is_added(text: str) -> None:
    changed = tags.set_tags(text, "1.2.3", "v.yaml")
    assert _tags(changed) == WANTED
    assert tags.set_tags(changed, "1.2.3", "v.yaml") == changed


def test_a_version_that_reads_like_a_number_stays_a_text() -> None:
    assert _tags(tags.set_tags("", "1.0", "v.yaml")) == dict.fromkeys(tags.SERVICES, "1.0")


@pytest.mark.parametrize(
    "text",
    [
        "services:\n  nsfwDetector: &a\n    tag: x\n  ui: *a\n",
        "services: text\n",
        "services:\n  ui: text\n",
        "services: [ui]\n",
        "rotation: text\n",
    ],
)
def test_a_file_whose_other_values_would_change_too_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match=r"can't be written into v\.yaml"):
        tags.set_tags(text, "1.2.3", "v.yaml")
