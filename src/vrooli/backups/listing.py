"""The backups of a release as the repository and the archiver report them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime

from vrooli.backups import moment, problems
from vrooli.backups.info import Info, RepositoryState
from vrooli.backups.repository import Repository
from vrooli.databases.postgres.session import Postgres
from vrooli.errors import VrooliError
from vrooli.kube import Kube
from vrooli.kube.objects import text
from vrooli.release.model import Release


@dataclass(frozen=True)
class Range:
    """The moments to which a repository can restore PostgreSQL.

    Attributes:
        repository: Its number.
        since: The end of the first backup; None if there is none.
        until: When WAL was archived last; None if unknown.
    """

    repository: int
    since: datetime | None
    until: datetime | None

    def format(self) -> str:
        """The moments in words."""
        if self.since is None:
            return f"repository {self.repository} has no backup"
        until = format_time(self.until) if self.until else "an unknown time"
        return f"repository {self.repository} has {format_time(self.since)} to {until}"


@dataclass(frozen=True)
class Listing:
    """All backups of a release."""

    repository: Repository
    info: Info
    ranges: tuple[Range, ...]

    def range_of(self, number: int) -> Range:
        """The moments of a repository."""
        return next(
            (item for item in self.ranges if item.repository == number), Range(number, None, None)
        )


async def fetch(kube: Kube, release: Release) -> Listing:
    """Read the backups of a release.

    Raises:
        PrerequisiteError: It has no PostgreSQL, or the pod of its repository is not ready.
    """
    postgres = await Postgres.of(kube, release)
    repository = Repository(postgres)
    await repository.check()
    info = _compared(await repository.info(), postgres)
    until = await _archived_at(postgres)
    numbers = [state.number for state in info.repositories] or [1]
    return Listing(repository, info, tuple(_range(info, number, until) for number in numbers))


def _compared(info: Info, postgres: Postgres) -> Info:
    """The report, in which each repository of another PostgreSQL has a problem."""
    own = text(postgres.body, "status", "patroni", "systemIdentifier")

    def compare(state: RepositoryState) -> RepositoryState:
        if not own or state.system in ("", own):
            return state
        problem = problems.foreign(postgres.name, state.system, own)
        return replace(state, problem=problem, is_foreign=True)

    return replace(info, repositories=tuple(map(compare, info.repositories)))


def _range(info: Info, number: int, until: datetime | None) -> Range:
    backups = info.of(number)
    return Range(number, backups[0].stopped if backups else None, until)


async def _archived_at(postgres: Postgres) -> datetime | None:
    """When WAL was archived last; None without a primary, whose backups can be listed still."""
    try:
        return (await moment.archiver(postgres)).time
    except VrooliError:
        return None


def demand_usable(info: Info, number: int, *, foreign: bool = False) -> RepositoryState:
    """The state of a repository that can be used.

    Args:
        info: The report about all repositories.
        number: The number of the repository.
        foreign: Whether the backups of another PostgreSQL can be used.

    Raises:
        VrooliError: There is no such repository, or it cannot be used.
    """
    states = {state.number: state for state in info.repositories}
    if (state := states.get(number)) is None:
        listed = ", ".join(map(str, sorted(states))) or "none"
        raise VrooliError(
            f"There is no backup repository {number}; there are: {listed}.",
            "The values in pgoPostgresql.backup configure the repositories.",
        )
    if state.problem and not (foreign and state.is_foreign):
        raise VrooliError(
            f"Backup repository {number} cannot be used: {state.problem.reason}. Nothing was "
            "changed.",
            state.problem.advice,
        )
    return state


def demand_complete(info: Info, number: int | None = None, *, foreign: bool = False) -> None:
    """Require that all repositories, or one, can be used, so that what is not listed is not there.

    Args:
        info: The report about all repositories.
        number: The number of the repository; None takes all.
        foreign: Whether the backups of another PostgreSQL can be used.

    Raises:
        VrooliError: One cannot be used.
    """
    for state in info.repositories:
        if number in (None, state.number):
            demand_usable(info, state.number, foreign=foreign)


def format_time(time: datetime) -> str:
    """A time in UTC, to the second, in a form that ``--to`` takes."""
    return f"{time.astimezone(UTC):%Y-%m-%d %H:%M:%S}Z"
