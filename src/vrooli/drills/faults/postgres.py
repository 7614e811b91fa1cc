"""Faults of PostgreSQL: its primary, the processes of the primary, its volume, and its pool."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from vrooli import shell
from vrooli.databases import programs
from vrooli.databases.postgres import disk, growth, patroni, pool
from vrooli.databases.postgres.session import CONTAINER, Instance, Postgres
from vrooli.databases.programs import Place
from vrooli.drills.faults import pods
from vrooli.drills.faults.pods import Group
from vrooli.drills.model import Injection, NotApplicableError, nothing
from vrooli.drills.site import Site
from vrooli.errors import VrooliError
from vrooli.grammar import format_bytes
from vrooli.kube.objects import name

# The largest file that fills a volume, bytes; a larger volume is not filled.
MOST_FILLER = 4 * 1024**3
FILLER = f"{disk.DIRECTORY}/vrooli-drill-filler"
# When the pod itself puts back what a killed drill has left, seconds.
UNDO_S = 300
# How long a program may take that injects or undoes a fault, and one that fills a volume, seconds.
PROGRAM_S, FILL_S = 15.0, 120.0
# The processes of the server and of Patroni, which starts it again, in PGO's container.
_PROCESSES = (
    'signal() { for process in /proc/[0-9]*; do case "$(cat "$process/comm" 2>/dev/null)" in '
    'postgres|patroni) kill "-$1" "${process#/proc/}" 2>/dev/null ;; esac; done; true; }; '
)
# The container ends with Patroni, and this program with it, so that it must have answered before.
_KILL = f"sh -c '{_PROCESSES} {{ (sleep 0.5; signal KILL) </dev/null >/dev/null 2>&1 & }}' sh"
_FREEZE = (
    f"sh -c '{_PROCESSES}"
    '{ (sleep "$1"; signal CONT) </dev/null >/dev/null 2>&1 & }; signal STOP\' sh "$1"'
)
_THAW = f"sh -c '{_PROCESSES} signal CONT' sh"
# A file without holes; the last bytes are written one block at a time.
_FILL = (
    'sh -c \'{ (sleep "$3"; rm -f "$1") </dev/null >/dev/null 2>&1 & }; '
    'fallocate -l "$2" "$1" 2>/dev/null || '
    'dd if=/dev/zero of="$1" bs=1M count=$(($2 / 1048576 + 1)) 2>/dev/null; '
    'true\' sh "$1" "$2" "$3"'
)
# Prints nothing if there is no such file.
_REMOVE = 'sh -c \'rm -fv "$1"\' sh "$1"'
_STARTED = "SELECT pg_postmaster_start_time()::text AS started"


async def primary_deleted(site: Site) -> Injection:
    """Delete the pod of the primary."""
    return await _without_pod(site)


async def primary_lost(site: Site) -> Injection:
    """Remove the pod of the primary, which has no time to hand over, as if its node failed."""
    lost = await _without_pod(site, at_once=True)
    return replace(lost, unnoticed_s=patroni.lease_s(_postgres(site)))


async def primary_killed(site: Site) -> Injection:
    """Kill the server and Patroni in the pod of the primary."""
    return await _signalled(site, _KILL)


async def primary_frozen(site: Site) -> Injection:
    """Stop the server and Patroni in the pod of the primary; the pod continues them later."""
    frozen = await _signalled(site, _FREEZE, (f"{UNDO_S}",), _THAW)
    return replace(frozen, unnoticed_s=patroni.lease_s(_postgres(site)))


async def pool_deleted(site: Site) -> Injection:
    """Delete a pod of pgBouncer."""
    postgres = _postgres(site)
    return await pods.one_of(site, "pgBouncer", pool.selector(postgres), postgres.namespace)


async def volume_filled(site: Site) -> Injection:
    """Fill the volume of the primary with one file, which the pod removes later.

    Raises:
        NotApplicableError: The volume shares the disk of its node, or is too large.
    """
    postgres, primary = await _primary(site)
    await _demand_own_volume(postgres, primary)
    free = await disk.free_bytes(postgres, primary.pod)
    if free > MOST_FILLER:
        raise NotApplicableError(
            f"the volume of {primary.pod} has {format_bytes(free)} free, and at most "
            f"{format_bytes(MOST_FILLER)} are filled"
        )
    place = Place(postgres.namespace, primary.pod, CONTAINER)
    before = await _identity(postgres)

    return Injection(
        targets=(f"volume of {primary.pod}",),
        subjects=(primary.pod, postgres.name),
        inject=partial(_run, postgres, place, _FILL, (FILLER, f"{free}", f"{UNDO_S}"), FILL_S),
        is_healed=partial(_is_other_and_ready, postgres, before),
        undo=partial(remove_filler, postgres, primary.pod),
        undo_command=_in_pod(place, f"rm -f {FILLER}"),
        is_alone=await _is_alone(postgres),
    )


async def remove_filler(postgres: Postgres, pod: str) -> bool:
    """Remove the file that fills the volume of a pod; returns whether there was one.

    Raises:
        VrooliError: The pod did not run the program.
    """
    place = Place(postgres.namespace, pod, CONTAINER)
    return bool(await _run(postgres, place, _REMOVE, (FILLER,), PROGRAM_S))


def _in_pod(place: Place, command: str) -> str:
    return shell.checked(
        f"kubectl exec -n {shell.label(place.namespace)} {shell.name(place.pod)} "
        f"-c {CONTAINER} -- {command}"
    )


async def _demand_own_volume(postgres: Postgres, primary: Instance) -> None:
    for volume in await growth.data_volumes(postgres):
        if volume.pod == primary.pod and await growth.is_on_node_disk(postgres.kube, volume):
            raise NotApplicableError(
                f"the volume of {primary.pod} shares the disk of its node, which would be full for "
                "everything on it"
            )


async def _without_pod(site: Site, *, at_once: bool = False) -> Injection:
    postgres, primary = await _primary(site)
    group = await Group.fetch(site.kube, postgres.namespace, postgres.selector)
    deleted = [pod for pod in group.pods if name(pod) == primary.pod]
    return pods.deletion(group, deleted, at_once=at_once, subjects=(postgres.name,))


async def _signalled(
    site: Site, script: str, arguments: Sequence[str] = (), undo: str = ""
) -> Injection:
    postgres, primary = await _primary(site)
    place, before = Place(postgres.namespace, primary.pod, CONTAINER), await _identity(postgres)
    return Injection(
        targets=(f"processes of Pod/{primary.pod} in namespace {postgres.namespace}",),
        subjects=(primary.pod, postgres.name),
        inject=partial(_run, postgres, place, script, arguments, PROGRAM_S),
        is_healed=partial(_is_other_and_ready, postgres, before),
        undo=partial(_run, postgres, place, undo, (), PROGRAM_S) if undo else nothing,
        undo_command=_in_pod(place, undo) if undo else "",
        is_alone=await _is_alone(postgres),
    )


async def _run(
    postgres: Postgres, place: Place, script: str, arguments: Sequence[str], limit_s: float
) -> str:
    """What a program has printed."""
    completed = await programs.run(postgres.kube, place, script, arguments, "", limit_s)
    if completed.exit_code:
        raise VrooliError(f"A program in pod {place} failed: {completed.stderr.strip()}")
    return completed.stdout.strip()


def _postgres(site: Site) -> Postgres:
    if site.postgres is None:
        raise NotApplicableError("PostgreSQL is outside the cluster")
    return site.postgres


async def _primary(site: Site) -> tuple[Postgres, Instance]:
    postgres = _postgres(site)
    return postgres, await postgres.primary()


async def _is_alone(postgres: Postgres) -> bool:
    return len(await postgres.instances()) == 1


async def _identity(postgres: Postgres) -> tuple[str, str]:
    """The pod of the primary, and when its server was started."""
    primary = await postgres.primary()
    (row,) = await postgres.query(_STARTED, pod=primary.pod)
    return primary.pod, row["started"]


async def _is_other_and_ready(postgres: Postgres, before: tuple[str, str]) -> bool:
    """Whether another server accepts the writes, and all instances are ready."""
    return await _identity(postgres) != before and all(
        instance.is_ready for instance in await postgres.instances()
    )
