"""Advice about the command to run next, by environment. No I/O here.

`vrooli develop` deploys the current sources. It is not suggested for staging and production.
"""

from __future__ import annotations

from vrooli import shell
from vrooli.environments import Environment


def install(environment: Environment) -> str:
    """How to install a release that does not exist."""
    if environment.name == "dev":
        return "`vrooli develop` installs it from source, `vrooli deploy` from an artifact"
    return f"`vrooli deploy --environment {environment.name}` installs an artifact"


def repeat(environment: Environment) -> str:
    """How to repeat or roll back a deploy that did not become ready."""
    if environment.name == "dev":
        return (
            "run `vrooli develop` (from source) or `vrooli deploy` (from an artifact) again, or "
            "roll back with `vrooli rollback`"
        )
    name = environment.name
    return (
        f"run `vrooli deploy --environment {name}` with a corrected artifact, or roll back with "
        f"`vrooli rollback --environment {name}`"
    )


def wait(environment: Environment) -> str:
    """How to wait until a cluster has recovered from a suspension."""
    return (
        "the cluster recovers without help; "
        f"`vrooli status --environment {environment.name} --watch` waits for it"
    )


def start(environment: Environment, state: str, cluster: str | None = None) -> str:
    """How to start a cluster that is absent or stopped, given as ``--cluster`` takes it."""
    if environment.name == "dev":
        return f"`vrooli develop{_chosen(cluster)}` starts it and deploys the release"
    if state == "stopped":
        return "`vrooli cluster start` starts it"
    return f"select the cluster of {environment.name} with --cluster"


def same_release(environment: Environment, cluster: str | None) -> str:
    """The options that name the same release in a printed command."""
    return f"-e {environment.name}{_chosen(cluster)}"


def _chosen(cluster: str | None) -> str:
    return f" --cluster {shell.quote(cluster)}" if cluster else ""
