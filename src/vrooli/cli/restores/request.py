"""What ``vrooli restore`` was asked for, whichever part of a release it restores."""

from __future__ import annotations

from dataclasses import dataclass

from vrooli import environments
from vrooli.cli.options import OutputFormat
from vrooli.environments import Environment


@dataclass(frozen=True, kw_only=True)
class RestoreRequest:
    """The options of the command.

    Attributes:
        environment_name: The environment of the release.
        cluster: As ``--cluster`` takes it; None picks one.
        to: The moment; empty if none is given.
        point: The ID of the point; empty if none is given.
        into: The namespace and the name of a copy; empty restores in place.
        repository: The number of the repository; None takes the first that has the moment.
        vault_versions: Paths of secrets, each with the number of a version.
        timeout_s: The time limit, seconds.
        yes: Whether nothing is asked.
        output: The output format.
        debug: Whether the traceback of an error is printed.
    """

    environment_name: str
    cluster: str | None
    to: str
    point: str
    into: str
    repository: int | None
    vault_versions: tuple[str, ...]
    timeout_s: float
    yes: bool
    output: OutputFormat
    debug: bool

    @property
    def environment(self) -> Environment:
        """The environment of the release.

        Raises:
            UsageError: There is none of that name.
        """
        return environments.environment(self.environment_name)
