"""Results of the commands that operate the databases of a release."""

from __future__ import annotations

from pydantic import Field

from vrooli.workflows.results.base import StepsResult


class SwitchoverResult(StepsResult):
    """The result of switchover."""

    release: str = Field(description="the name of the Helm release")
    namespace: str = Field(description="the namespace of the release")
    database: str = Field(description="postgres or redis")
    previous: str = Field(description="the pod that accepted writes before")
    current: str = Field(description="the pod that accepts writes now")
    pause_s: float = Field(
        description="how long no write was acknowledged, in seconds; 0 if nothing was changed"
    )
