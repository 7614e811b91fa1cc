"""The result of `values convert`."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from vrooli.chart.upstream.conversion import Outcome
from vrooli.workflows.results.base import Model, Result
from vrooli.workflows.results.texts import MultiLine


class KeyView(Model):
    """A key of upstream's values."""

    key: str = Field(description="the key")
    outcome: Outcome = Field(description="converted, overridden, secret or omitted")
    targets: tuple[str, ...] = Field(description="the keys of this chart that have its value")
    reason: str = Field(
        description="what changed, which key takes precedence, where a secret belongs, or why the "
        "key has no place; never the value"
    )


class ConvertResult(Result):
    """The result of `values convert`; `ok` is false if the chart requires further values."""

    files: tuple[str, ...] = Field(description="the values files of upstream's chart")
    path: str | None = Field(description="the file with the converted values, or null")
    values: Annotated[str, MultiLine] = Field(description="the converted values, as YAML")
    keys: tuple[KeyView, ...] = Field(description="each key of the files")
    required: tuple[str, ...] = Field(
        description="values that the chart requires and that the files do not contain"
    )
