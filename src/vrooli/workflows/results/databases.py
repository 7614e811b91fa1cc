"""Results of the commands that operate the databases of a release."""

from __future__ import annotations

from pydantic import Field

from vrooli.workflows.results.base import Model, StepsResult


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


class ResetResult(StepsResult):
    """The result of `db reset`."""

    release: str = Field(description="the name of the Helm release")
    namespace: str = Field(description="the namespace of the release")


class PostView(Model):
    """A sample post."""

    id: str = Field(description="the ID of the post")
    text: str = Field(description="the text of the post")
    state: str = Field(description="approved, refused or failed")


class SeedResult(StepsResult):
    """The result of `db seed`."""

    release: str = Field(description="the name of the Helm release")
    namespace: str = Field(description="the namespace of the release")
    posts: tuple[PostView, ...] = Field(description="the sample posts, also those that existed")


class RotationView(Model):
    """A rotated secret; its values are not shown."""

    secret: str = Field(description="postgres, redis, shared or dockerhub")
    version: int = Field(description="the version of the secret in Vault")
    continued: bool = Field(
        description="whether an earlier rotation was continued instead of a new value written"
    )
    pods: tuple[str, ...] = Field(description="the pods that use the new value")
    pods_s: float = Field(
        description="the time until all pods used the new value, in seconds from the begin"
    )
    proof: str = Field(description="what was proven of the database, or empty")


class RotateResult(StepsResult):
    """The result of rotate."""

    release: str = Field(description="the name of the Helm release")
    namespace: str = Field(description="the namespace of the release")
    secrets: tuple[RotationView, ...] = Field(description="the rotated secrets")
