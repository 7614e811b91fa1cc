"""The cluster serves every kind that the release consists of, the operators' among them."""

from __future__ import annotations

import asyncio

from vrooli.checks.interface import Check, Seen, Site
from vrooli.findings import Finding
from vrooli.operators import OPERATORS
from vrooli.operators.model import INSTALL_COMMAND

# The operator that serves a group.
SERVED_BY = {group: operator for operator in OPERATORS for group in operator.groups}
OTHERS = {
    "monitoring.coreos.com": "Prometheus' operator (or set monitoring.enabled: false)",
}


async def look(site: Site) -> Seen:
    """Whether the cluster serves every kind in its version."""
    kinds = site.needs.kinds
    served = await asyncio.gather(*(site.kube.serves(*kind) for kind in kinds))
    missing = [kind for kind, there in zip(kinds, served, strict=True) if not there]
    said = f"{len(kinds) - len(missing)} of {len(kinds)} kinds are served in their versions"
    return Seen(said, tuple(_missing(version, kind) for version, kind in missing))


def _missing(api_version: str, kind: str) -> Finding:
    group = api_version.partition("/")[0]
    said = f"the cluster doesn't serve it as {api_version}."
    if (operator := SERVED_BY.get(group)) is not None:
        remedy = f"Install the {operator.title}: `vrooli setup` installs the operators."
        return Finding("api-resources", kind, said, remedy, INSTALL_COMMAND)
    remedy = f"Install {OTHERS[group]}." if group in OTHERS else ""
    return Finding("api-resources", kind, said, remedy)


CHECK = Check(
    "api-resources",
    "API resources",
    "the cluster serves every kind of the chart in its version, including CRDs of operators",
    look,
    stops_deploy=True,
    of_operators=True,
)
