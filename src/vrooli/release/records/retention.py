"""Which revisions are kept to go back to: failed deploys take the place of none that worked.

Helm's own limit counts them all, and deletes before it stores: failed deploys, each with its way
back, would soon leave nothing else.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from vrooli.kube import ApiError, Kube
from vrooli.release.records import history, metadata
from vrooli.release.records.history import DEPLOYED, PENDING, Release

# Revisions that are kept of those that worked, and of the others: failed ones, and copies that
# rollbacks have made of older ones.
MOST = 10


def surplus(notes: Iterable[Mapping[str, str]], most: int = MOST) -> list[int]:
    """The revisions that are kept no longer, by the labels of Helm's notes.

    The newest, the one that Helm calls deployed and those at work always stay.
    """
    newest_first = sorted(notes, key=lambda item: int(item["version"]), reverse=True)
    worked: list[int] = []
    others: list[int] = []
    for item in newest_first[1:]:
        if item.get("status") in (DEPLOYED, *PENDING):
            continue
        (others if _is_other(item) else worked).append(int(item["version"]))
    return sorted([*worked[most:], *others[most:]])


def _is_other(labels: Mapping[str, str]) -> bool:
    """Whether a revision never became ready, or is a copy of an older one."""
    number = labels["version"]
    failed = labels.get("status") == "failed" or metadata.is_unready(labels)
    return failed or labels.get(metadata.COPY) == number


async def prune(kube: Kube, release: Release) -> list[int]:
    """Delete the notes that are kept no longer; gives their numbers."""
    numbers = surplus(await history.labels(kube, release))
    for number in numbers:
        try:
            name = history.secret_name(release.name, number)
            await kube.delete("v1", "Secret", name, release.namespace)
        except ApiError as error:
            if not error.is_forbidden:
                raise
            return []  # more than enough are kept then
    return numbers
