"""What a killed drill leaves in a release: its writer with rows and posts, and a full volume."""

from __future__ import annotations

from vrooli.databases.postgres import application
from vrooli.databases.postgres.session import Postgres
from vrooli.drills import writer, writer_objects
from vrooli.drills.faults.postgres import remove_filler
from vrooli.drills.http_load import TEXT
from vrooli.drills.site import Site
from vrooli.kube import ApiError, Kube
from vrooli.kube.concurrency import gather_limited
from vrooli.kube.objects import label_selector, name

_LABELS = label_selector(writer_objects.LABELS)
# The time limit of removing what was written, seconds.
REMOVE_S = 60.0
# The release may have no such table. All names are constants.
_REMOVE_WRITES = f"""
DROP TABLE IF EXISTS {writer_objects.TABLE};
DO $$ BEGIN
IF to_regclass('vrooli.posts') IS NOT NULL THEN
    DELETE FROM vrooli.posts WHERE text LIKE '{TEXT}%';
END IF;
END $$;
"""  # noqa: S608


async def remove(site: Site) -> tuple[str, ...]:
    """Remove what is left; the lock of the release says that no other drill runs.

    Keys in Redis expire by themselves.

    Returns:
        What was removed.

    Raises:
        VrooliError: It could not be removed; what is left is found again.
    """
    fillers = await _remove_fillers(site.postgres) if site.postgres is not None else ()
    return (*fillers, *await _remove_writer(site))


async def _remove_fillers(postgres: Postgres) -> tuple[str, ...]:
    removed = []
    for instance in await postgres.instances():
        if await remove_filler(postgres, instance.pod):
            removed.append(f"the file that filled the volume of {instance.pod}")
    return tuple(removed)


async def _remove_writer(site: Site) -> tuple[str, ...]:
    """Remove the objects of the writer, after what it has written: they are the sign of that."""
    kube, namespace = site.kube, site.release.namespace
    found = await _find_objects(kube, namespace)
    if not found:
        return ()
    await writer.remove_pod(kube, namespace)
    if site.postgres is not None:
        await application.execute(site.postgres, _REMOVE_WRITES, REMOVE_S)
    for api_version, kind, object_name in found:
        await kube.delete(api_version, kind, object_name, namespace)
    return tuple(f"{kind}/{object_name}" for _, kind, object_name in found)


async def _find_objects(kube: Kube, namespace: str) -> list[tuple[str, str, str]]:
    async def find(kind: tuple[str, str]) -> list[tuple[str, str, str]]:
        try:
            bodies = await kube.list(*kind, namespace, _LABELS, names_only=True)
        except ApiError as error:
            if error.is_forbidden:  # nor could a drill of this user have created them
                return []
            raise
        return [(*kind, name(body)) for body in bodies]

    groups = await gather_limited(find, writer_objects.KINDS)
    return [item for group in groups for item in group]
