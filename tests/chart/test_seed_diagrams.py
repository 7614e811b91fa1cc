"""The specification's four diagrams match the manifests, with listed exceptions."""

from __future__ import annotations

from functools import cache

import pytest

from support.chart import diagram_differences as deviations
from support.chart import mermaid as reader
from vrooli import project
from vrooli.chart import engine, values
from vrooli.environments import ENVIRONMENTS
from vrooli.graph.diagrams import catalog
from vrooli.graph.model import Diagram
from vrooli.graph.render import mermaid

SEED = project.root().parent / "shared" / "seed"
pytestmark = pytest.mark.skipif(
    not SEED.is_dir(), reason="the specification isn't available in this checkout"
)
TITLES = (
    deviations.ARCHITECTURE,
    deviations.CONNECTIVITY,
    deviations.SECRETS,
    deviations.DELIVERY,
)


@cache
def specified() -> dict[str, reader.Chart]:
    """The specification's diagrams, by their headings."""
    text = "\n".join(path.read_text() for path in sorted(SEED.glob("*.txt")))
    return reader.charts(text)


@cache
def ours() -> dict[str, tuple[Diagram, ...]]:
    """Each diagram, once for each environment."""
    drawn = [
        catalog.build_diagrams(
            engine.render(values.load(item), release=item.release, namespace=item.namespace)
        )
        for item in ENVIRONMENTS.values()
    ]
    return {actual[0].title: actual for actual in zip(*drawn, strict=True)}


def arrows(title: str) -> dict[tuple[str, str], tuple[str, bool]]:
    """The arrows that the manifests of any environment support."""
    return {
        arrow.key: (arrow.label, arrow.dashed)
        for diagram in ours()[title]
        for arrow in diagram.arrows
    }


def test_the_specification_has_the_four_diagrams_that_are_drawn() -> None:
    assert tuple(ours()) == TITLES
    assert set(TITLES) <= set(specified())
    assert sum(len(specified()[title].arrows) for title in TITLES) > 80


@pytest.mark.parametrize("title", TITLES)
def test_each_arrow_of_the_specification_is_supported_by_manifests(title: str) -> None:
    missing = specified()[title].arrows.keys() - arrows(title).keys()
    excused = {(a, b) for where, a, b in deviations.FEWER if where == title}
    assert missing == excused


@pytest.mark.parametrize("title", TITLES)
def test_each_drawn_arrow_is_in_the_specification(title: str) -> None:
    more = arrows(title).keys() - specified()[title].arrows.keys()
    excused = {(a, b) for where, a, b in deviations.MORE if where == title}
    assert more == excused


@pytest.mark.parametrize("title", TITLES)
def test_arrow_labels_match_the_specification(title: str) -> None:
    expected, actual = specified()[title].arrows, arrows(title)
    both = expected.keys() & actual.keys()
    assert {key: actual[key] for key in both} == {key: expected[key] for key in both}


@pytest.mark.parametrize("title", TITLES)
def test_boxes_match_the_names_and_groups_of_the_specification(title: str) -> None:
    expected = specified()[title]
    titles: dict[str, set[tuple[str, ...]]] = {}
    frames: dict[str, str] = {}
    for node in (node for diagram in ours()[title] for node in diagram.nodes):
        titles.setdefault(node.id, set()).add(node.title)
        frames[node.id] = node.group
    differing = {
        id_: (line, actual)
        for id_, line in expected.nodes.items()
        if allowed(title, id_, line) not in (actual := titles.get(id_, set()))
    }
    assert differing == {}
    assert {id_: frames[id_] for id_ in expected.groups} == expected.groups


@pytest.mark.parametrize("title", TITLES)
def test_groups_are_nested_as_in_the_specification(title: str) -> None:
    for diagram in ours()[title]:
        frames = {group.title: group.parent for group in diagram.groups}
        assert frames == {key: specified()[title].parents.get(key) for key in frames}
        assert diagram.direction == specified()[title].direction


@pytest.mark.parametrize("title", TITLES)
def test_the_mermaid_text_matches_the_picture(title: str) -> None:
    for diagram in ours()[title]:
        read = reader.chart(mermaid.render(diagram, {}))
        assert read.nodes == {node.id: node.title for node in diagram.nodes}
        assert read.groups == {node.id: node.group for node in diagram.nodes}
        assert read.arrows == {arrow.key: (arrow.label, arrow.dashed) for arrow in diagram.arrows}


def test_every_exception_is_still_needed() -> None:
    drawn = {(title, *key) for title in TITLES for key in arrows(title)}
    expected = {(title, *key) for title in TITLES for key in specified()[title].arrows}
    assert set(deviations.MORE) <= drawn - expected
    assert set(deviations.FEWER) <= expected - drawn


def allowed(title: str, id_: str, expected: tuple[str, ...]) -> tuple[str, ...]:
    """The allowed title: the specification's, with listed exceptions."""
    theirs, own, _ = deviations.TITLES.get((title, id_), ("", "", ""))
    return tuple(own if line == theirs and theirs else line for line in expected)
