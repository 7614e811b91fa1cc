"""The source of an operator: its vendor if it is reachable, else the Go modules."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterable

import httpx

from vrooli.errors import UsageError
from vrooli.kube import Kube
from vrooli.operators.installation import record
from vrooli.operators.model import Operator, Source, VendorChart
from vrooli.responses import LimitedClient

# The user's choice for all operators: vendor or go-module.
VARIABLE = "VROOLI_OPERATORS_SOURCE"
# Timeout of a request to a vendor's repository, seconds.
PROBE_S = 3.0
# The longest index of a repository that is read, MiB.
LIMIT_MIB = 64


async def choose(
    operators: Iterable[Operator], kube: Kube | None, *, pulls: bool = True
) -> dict[str, Source]:
    """The source of each operator, by the operator's name.

    An operator keeps the source that it was installed from: an older PGO must not manage data that
    a newer one has written, only because the network changed.

    Args:
        operators: Which operators.
        kube: The cluster, if it already runs.
        pulls: Whether the cluster can pull images, which a vendor's operator needs.

    Raises:
        UsageError: The environment variable has an unknown value.
    """
    requested = os.environ.get(VARIABLE)
    if requested and requested not in list(Source):
        raise UsageError(
            f"{VARIABLE} is {requested!r}.", f"Choose one of: {', '.join(Source)}; or unset it."
        )
    items = list(operators)
    if not requested and not pulls:
        requested = Source.GO_MODULE
    sources = await asyncio.gather(*(_source(item, kube, requested) for item in items))
    return {item.name: source for item, source in zip(items, sources, strict=True)}


async def _source(operator: Operator, kube: Kube | None, requested: str | None) -> Source:
    if kube is not None:
        installed = await record.read(kube, operator.namespace)
        if installed.ours and installed.source in list(Source):
            return Source(installed.source)
    if requested:
        return Source(requested)
    return Source.VENDOR if await repository(operator.vendor) else Source.GO_MODULE


async def repository(chart: VendorChart) -> str | None:
    """The first repository of a chart that is reachable; None if none is."""
    async with LimitedClient(limit_mib=LIMIT_MIB, timeout=PROBE_S, follow_redirects=True) as client:
        for url in chart.repositories:
            if await _is_reachable(client, url, chart):
                return url
    return None


async def _is_reachable(client: httpx.AsyncClient, url: str, chart: VendorChart) -> bool:
    """Whether a repository of the chart responds, and not the login page of a network."""
    is_registry = url.startswith("oci://")
    probe = (
        f"https://{url.removeprefix('oci://').split('/')[0]}/v2/"
        if is_registry
        else f"{url.rstrip('/')}/index.yaml"
    )
    try:
        async with asyncio.timeout(PROBE_S):
            response = await client.get(probe)
    except (httpx.HTTPError, TimeoutError):
        return False
    return _is_registry(response) if is_registry else _is_index(response, chart)


def _is_registry(response: httpx.Response) -> bool:
    """Whether a response is that of a registry, which may demand a login.

    https://github.com/opencontainers/distribution-spec/blob/main/spec.md#determining-support
    """
    if response.status_code == httpx.codes.UNAUTHORIZED:
        return "www-authenticate" in response.headers
    return response.status_code == httpx.codes.OK and not _is_page(response)


def _is_index(response: httpx.Response, chart: VendorChart) -> bool:
    """Whether a response is an index that has the chart."""
    if response.status_code != httpx.codes.OK or _is_page(response):
        return False
    return "entries" in response.text and chart.name in response.text


def _is_page(response: httpx.Response) -> bool:
    is_html = "html" in response.headers.get("content-type", "")
    return is_html or response.text.lstrip().startswith("<")
