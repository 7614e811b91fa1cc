"""Results of the commands that change the operators of a cluster."""

from __future__ import annotations

from pydantic import Field

from vrooli.workflows.results.base import Model, StepsResult


class DatabaseRestartView(Model):
    """A pod of a database that was restarted or not ready during the upgrade of an operator."""

    namespace: str = Field(description="the namespace of the pod")
    pod: str = Field(description="the pod, or the Deployment whose pods have no fixed names")
    restarted: bool = Field(description="whether the pod or a container of it was restarted")
    unready_s: float = Field(description="how long fewer pods than before were ready, in seconds")


class OperatorUpgradeView(Model):
    """An operator, and what its upgrade did."""

    operator: str = Field(description="postgres, redis or vault")
    title: str = Field(description="the title of the operator, for people")
    owner: str = Field(description="who installed it, for people; empty if it is not installed")
    source: str = Field(description="where the new version comes from: vendor or go-module")
    before: str = Field(description="the version that ran before; empty if it is not installed")
    after: str = Field(description="the version that runs now; equal to `before` if unchanged")
    outcome: str = Field(
        description="upgraded, unchanged (it is up to date) or skipped (it is not ours)"
    )
    detail: str = Field(description="what was proven, or why it was skipped")
    restarts: tuple[DatabaseRestartView, ...] = Field(
        default=(), description="the pods of databases that were restarted or not ready meanwhile"
    )


class UpgradeOperatorsResult(StepsResult):
    """The result of `upgrade operators`."""

    cluster: str = Field(description="the cluster as `--cluster` takes it")
    operators: tuple[OperatorUpgradeView, ...] = Field(description="the operators")
