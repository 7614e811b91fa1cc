"""Which command brings what is missing, by environment. No I/O here.

`vrooli develop` installs what the sources are now: for staging and production, and for a release
that came from an artifact, it isn't the way.
"""

from __future__ import annotations

from vrooli.environments import Environment


def install(environment: Environment) -> str:
    """How a release that is absent gets there."""
    if environment.name == "dev":
        return "`vrooli develop` installs it from the sources, `vrooli deploy` from an artifact"
    return f"`vrooli deploy --environment {environment.name}` installs an artifact"


def repeat(environment: Environment) -> str:
    """How a release that did not become ready gets there, or back."""
    if environment.name == "dev":
        return (
            "run the command again that made it so (`vrooli develop` takes the sources, `vrooli "
            "deploy` an artifact), or go back with `vrooli rollback`"
        )
    name = environment.name
    return (
        f"run `vrooli deploy --environment {name}` with a corrected artifact, or go back with "
        f"`vrooli rollback --environment {name}`"
    )


def start(environment: Environment, state: str) -> str:
    """How a cluster that is absent or stopped gets to run."""
    if environment.name == "dev":
        return "`vrooli develop` brings everything up"
    if state == "stopped":
        return "`vrooli cluster start` starts it"
    return f"name the cluster of {environment.name} with --cluster"
