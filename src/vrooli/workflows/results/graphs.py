"""The result of `graph`."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from vrooli.workflows.results.base import Model, VerdictResult
from vrooli.workflows.results.texts import MultiLine


class EvidenceView(Model):
    """A field of an object or file that an arrow is derived from."""

    object: str = Field(description="the kind and name of the object, or a file")
    field: str = Field(description="the path of the field, or empty")
    value: str = Field(description="the value of the field, or empty; secrets are redacted")


class NodeView(Model):
    """A node of a diagram."""

    id: str = Field(description="the stable ID: UI, Server, PGPrimary, …")
    title: tuple[str, ...] = Field(description="the lines of the label")
    group: str = Field(description="the title of the group of the node")


class ArrowView(Model):
    """An arrow of a diagram."""

    source: str = Field(description="the ID of the source node")
    target: str = Field(description="the ID of the target node")
    label: str = Field(description="the label, or empty")
    dashed: bool = Field(description="whether the arrow is dashed")
    evidence: tuple[EvidenceView, ...] = Field(
        description="the fields that the arrow is derived from"
    )
    state: str | None = Field(
        default=None, description="active, idle, broken or unknown, or null without --live"
    )
    message: str = Field(default="", description="the reason of the state, or empty")


class DiagramView(Model):
    """A diagram."""

    name: str = Field(description="architecture, connectivity, secrets or delivery")
    title: str = Field(description="the heading of the diagram")
    nodes: tuple[NodeView, ...] = Field(description="the nodes")
    arrows: tuple[ArrowView, ...] = Field(description="the arrows")


class GraphResult(VerdictResult):
    """The result of graph; `ok` is false if an arrow is broken or its state could not be read."""

    environment: str = Field(description="dev, staging or prod")
    release: str = Field(description="the name of the Helm release")
    namespace: str = Field(description="the namespace of the release")
    live: bool = Field(description="whether the graph shows the state of the cluster")
    source: str = Field(description="the source of the arrows: the values, or the release")
    diagrams: tuple[DiagramView, ...] = Field(description="the diagrams")
    problems: tuple[str, ...] = Field(
        default=(), description="what could not be read, one message each"
    )
    rendered: Annotated[str, MultiLine] = Field(
        default="", description="the diagrams in the requested format, or empty"
    )
