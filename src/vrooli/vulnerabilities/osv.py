"""Asks OSV's API for the known vulnerabilities of packages.

Source: https://google.github.io/osv.dev/post-v1-querybatch/
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import httpx

from vrooli.responses import LimitedClient, read_json
from vrooli.vulnerabilities.inventory import Pin

# The API's base URL; VROOLI_OSV_URL overrides it, for a mirror.
OFFICIAL = "https://api.osv.dev"
# The largest number of packages in one request.
BATCH = 1000
# Timeouts of a connection and of an answer, seconds.
CONNECT_S, ANSWER_S = 4.0, 60.0
# The largest number of pages of one answer that are read.
MAX_PAGES = 20
# The longest answer that is read, MiB.
LIMIT_MIB = 32


class UncheckedError(Exception):
    """The database could not be asked; the text is the reason."""


@dataclass(frozen=True, order=True)
class Finding:
    """A known vulnerability of a pinned package."""

    pin: Pin
    id: str


async def find(pins: Sequence[Pin]) -> list[Finding]:
    """The known vulnerabilities of packages, sorted.

    Raises:
        UncheckedError: The database did not answer, or not completely.
    """
    base = (os.environ.get("VROOLI_OSV_URL") or OFFICIAL).rstrip("/")
    timeout = httpx.Timeout(ANSWER_S, connect=CONNECT_S)
    findings: set[Finding] = set()
    try:
        async with LimitedClient(limit_mib=LIMIT_MIB, base_url=base, timeout=timeout) as client:
            for start in range(0, len(pins), BATCH):
                findings |= await _batch(client, pins[start : start + BATCH])
    except httpx.HTTPError as error:
        raise UncheckedError(f"{base}: {error or type(error).__name__}") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UncheckedError(f"{base} gave an answer of another form") from error
    return sorted(findings)


async def _batch(client: httpx.AsyncClient, pins: Sequence[Pin]) -> set[Finding]:
    """The findings of one batch, whose answers may have several pages."""
    findings: set[Finding] = set()
    queries = [(pin, _query(pin)) for pin in pins]
    for _ in range(MAX_PAGES):
        body = {"queries": [query for _, query in queries]}
        response = await client.post("/v1/querybatch", json=body)
        answer = read_json(response.raise_for_status())
        following = []
        for (pin, query), result in zip(queries, answer["results"], strict=True):
            findings |= {Finding(pin, entry["id"]) for entry in (result or {}).get("vulns") or ()}
            if token := (result or {}).get("next_page_token"):
                following.append((pin, {**query, "page_token": token}))
        if not following:
            return findings
        queries = following
    raise UncheckedError(f"{client.base_url} has more than {MAX_PAGES} pages of one answer")


def _query(pin: Pin) -> dict[str, Any]:
    return {"package": {"ecosystem": pin.ecosystem, "name": pin.name}, "version": pin.version}
