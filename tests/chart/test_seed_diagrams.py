"""The specification's four diagrams are what the manifests support, but for exceptions."""

from __future__ import annotations

from functools import cache

import pytest

from support import diagrams as deviations
from support import mermaid as reader
from vrooli import project
from vrooli.chart import engine, values
from vrooli.environments import ENVIRONMENTS
from vrooli.graph.diagrams import catalog
from vrooli.graph.model import Diagram
from vrooli.graph.render import mermaid

SEED = project.root().parent / "shared" / "seed"
pytestmark = pytest.mark.skipif(
    not SEED.is_dir(), reason="the specification isn't kept beside this checkout"
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
    return {found[0].title: found for found in zip(*drawn, strict=True)}


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
def test_each_arrow_that_is_drawn_is_in_the_specification(title: str) -> None:
    more = arrows(title).keys() - specified()[title].arrows.keys()
    excused = {(a, b) for where, a, b in deviations.MORE if where == title}
    assert more == excused


@pytest.mark.parametrize("title", TITLES)
def test_what_stands_beside_an_arrow_is_the_specification_s(title: str) -> None:
    wanted, found = specified()[title].arrows, arrows(title)
    both = wanted.keys() & found.keys()
    assert {key: found[key] for key in both} == {key: wanted[key] for key in both}


@pytest.mark.parametrize("title", TITLES)
def test_boxes_have_the_specification_s_names_and_frames(title: str) -> None:
    wanted = specified()[title]
    titles: dict[str, set[tuple[str, ...]]] = {}
    frames: dict[str, str] = {}
    for node in (node for diagram in ours()[title] for node in diagram.nodes):
        titles.setdefault(node.id, set()).add(node.title)
        frames[node.id] = node.group
    differing = {
        id_: (line, found)
        for id_, line in wanted.nodes.items()
        if allowed(title, id_, line) not in (found := titles.get(id_, set()))
    }
    assert differing == {}
    assert {id_: frames[id_] for id_ in wanted.groups} == wanted.groups


@pytest.mark.parametrize("title", TITLES)
def test_frames_are_inside_each_other_as_in_the_specification(title: str) -> None:
    for diagram in ours()[title]:
        frames = {group.title: group.parent for group in diagram.groups}
        assert frames == {key: specified()[title].parents.get(key) for key in frames}
        assert diagram.direction == specified()[title].direction


@pytest.mark.parametrize("title", TITLES)
def test_the_mermaid_text_says_what_the_picture_has(title: str) -> None:
    for diagram in ours()[title]:
        read = reader.chart(mermaid.render(diagram, {}))
        assert read.nodes == {node.id: node.title for node in diagram.nodes}
        assert read.groups == {node.id: node.group for node in diagram.nodes}
        assert read.arrows == {arrow.key: (arrow.label, arrow.dashed) for arrow in diagram.arrows}


def test_every_exception_is_still_needed() -> None:
    known = {(title, *key) for title in TITLES for key in arrows(title)}
    wanted = {(title, *key) for title in TITLES for key in specified()[title].arrows}
    assert set(deviations.MORE) <= known - wanted
    assert set(deviations.FEWER) <= wanted - known


def allowed(title: str, id_: str, wanted: tuple[str, ...]) -> tuple[str, ...]:
    """The title that we are allowed, which is the specification's but for a listed line."""
    theirs, own, _ = deviations.TITLES.get((title, id_), ("", "", ""))
    return tuple(own if line == theirs and theirs else line for line in wanted)
