"""The result of `graph`."""

from __future__ import annotations

from pydantic import Field

from vrooli.workflows.results.base import Model, VerdictResult


class ReasonView(Model):
    """A field that supports an arrow."""

    object: str = Field(description="what holds it: an object's kind and name, or a file")
    field: str = Field(description="its path there; may be empty")
    value: str = Field(description="what stands there, without secrets; may be empty")


class NodeView(Model):
    """A box of a diagram."""

    id: str = Field(description="short and stable: UI, Server, PGPrimary, …")
    title: tuple[str, ...] = Field(description="what stands in it, line by line")
    group: str = Field(description="the frame that it is in")


class ArrowView(Model):
    """An arrow of a diagram."""

    source: str = Field(description="the box that it leaves")
    target: str = Field(description="the box that it leads to")
    label: str = Field(description="what stands beside it; may be empty")
    dashed: bool = Field(description="whether it is drawn dashed")
    reasons: tuple[ReasonView, ...] = Field(description="what supports it")
    state: str | None = Field(
        default=None, description="active, idle, broken or unknown; null when not looked at"
    )
    why: str = Field(default="", description="what was seen, in words")


class DiagramView(Model):
    """One of the four diagrams."""

    name: str = Field(description="architecture, connectivity, secrets or delivery")
    title: str = Field(description="its heading")
    nodes: tuple[NodeView, ...] = Field(description="its boxes")
    arrows: tuple[ArrowView, ...] = Field(description="its arrows")


class GraphResult(VerdictResult):
    """The end of graph; `ok` is false when an arrow is broken, or could not be looked at."""

    environment: str = Field(description="dev, staging or prod")
    release: str = Field(description="the Helm release's name")
    namespace: str = Field(description="its Kubernetes namespace")
    live: bool = Field(description="whether the cluster was looked at")
    source: str = Field(description="where the arrows come from: values, or the release as noted")
    diagrams: tuple[DiagramView, ...] = Field(description="the diagrams")
    problems: tuple[str, ...] = Field(default=(), description="what couldn't be seen, in words")
    text: str = Field(default="", description="the picture, in the format that was asked for")
