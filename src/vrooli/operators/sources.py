"""Where an operator is to come from: its vendor where that is reached, else the Go modules."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterable

import httpx

from vrooli.errors import UsageError
from vrooli.kube import Kube
from vrooli.operators import record
from vrooli.operators.interface import Operator, Source, VendorChart

# A person's choice, for all operators: vendor or go-module.
VARIABLE = "VROOLI_OPERATORS_SOURCE"
# How long a vendor may take to answer before it counts as not reached, seconds.
PROBE_S = 3.0


async def choose(
    operators: Iterable[Operator], kube: Kube | None, *, pulls: bool = True
) -> dict[str, Source]:
    """The source of each operator, by the operator's name.

    An operator keeps the source that it was installed from: data that a newer PGO has touched
    isn't handed to an older one because a network came or went.

    Args:
        operators: Which operators.
        kube: The cluster, when it runs already.
        pulls: Whether the cluster can pull images; a vendor's operator is of no use without.

    Raises:
        UsageError: The variable names no source.
    """
    named = os.environ.get(VARIABLE)
    if named and named not in list(Source):
        raise UsageError(
            f"{VARIABLE} is {named!r}.", f"Choose one of: {', '.join(Source)}; or unset it."
        )
    chosen = list(operators)
    if not named and not pulls:
        named = Source.GO_MODULE
    sources = await asyncio.gather(*(_source(one, kube, named) for one in chosen))
    return {operator.name: source for operator, source in zip(chosen, sources, strict=True)}


async def _source(operator: Operator, kube: Kube | None, named: str | None) -> Source:
    if kube is not None:
        known = await record.read(kube, operator.namespace)
        if known.ours and known.source in list(Source):
            return Source(known.source)
    if named:
        return Source(named)
    return Source.VENDOR if await repository(operator.vendor) else Source.GO_MODULE


async def repository(chart: VendorChart) -> str | None:
    """The first repository of a chart that answers."""
    async with httpx.AsyncClient(timeout=PROBE_S, follow_redirects=True) as client:
        for url in chart.repositories:
            if await _answers(client, url):
                return url
    return None


async def _answers(client: httpx.AsyncClient, url: str) -> bool:
    if url.startswith("oci://"):
        probe = f"https://{url.removeprefix('oci://').split('/')[0]}/v2/"
        fine = {httpx.codes.OK, httpx.codes.UNAUTHORIZED}
    else:
        probe, fine = f"{url.rstrip('/')}/index.yaml", {httpx.codes.OK}
    try:
        async with asyncio.timeout(PROBE_S):
            answer = await client.get(probe)
    except (httpx.HTTPError, TimeoutError):
        return False
    return answer.status_code in fine
