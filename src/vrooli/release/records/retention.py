"""Which revisions stay for a rollback: failed deploys do not displace revisions that ran.

Helm's own limit counts all revisions and deletes before it stores: a few failed deploys, each with
its rollback, would soon leave nothing else.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from vrooli.kube import ApiError, Kube
from vrooli.release.model import DEPLOYED, PENDING, Release, secret_name
from vrooli.release.records import metadata, storage

# The number of revisions that are retained of those that ran, and of all others: failed ones, and
# copies that rollbacks made.
LIMIT = 10


def find_surplus(records: Iterable[Mapping[str, str]], limit: int = LIMIT) -> list[int]:
    """Find the revisions to delete, by the labels of Helm's records.

    The newest revision, the deployed one and pending ones always stay.
    """
    newest_first = sorted(records, key=lambda item: int(item["version"]), reverse=True)
    ran: list[int] = []
    others: list[int] = []
    for item in newest_first[1:]:
        if item.get("status") in (DEPLOYED, *PENDING):
            continue
        (others if _is_failed_or_copy(item) else ran).append(int(item["version"]))
    return sorted([*ran[limit:], *others[limit:]])


def _is_failed_or_copy(labels: Mapping[str, str]) -> bool:
    number = labels["version"]
    failed = labels.get("status") == "failed" or metadata.is_unready(labels)
    return failed or labels.get(metadata.COPY) == number


async def prune(kube: Kube, release: Release) -> list[int]:
    """Delete the surplus records; returns their numbers."""
    numbers = find_surplus(await storage.fetch_labels(kube, release))
    for number in numbers:
        try:
            name = secret_name(release.name, number)
            await kube.delete("v1", "Secret", name, release.namespace)
        except ApiError as error:
            if not error.is_forbidden:
                raise
            return []  # without the permission to delete, more records stay than necessary
    return numbers
