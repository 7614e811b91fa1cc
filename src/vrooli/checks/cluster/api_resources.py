"""The cluster serves every kind that the release consists of, the operators' among them."""

from __future__ import annotations

import asyncio

from vrooli.checks.interface import Check, Seen, Site
from vrooli.findings import Finding

# Which operator serves a group, for the remedy.
OPERATORS = {
    "postgres-operator.crunchydata.com": "PGO",
    "databases.spotahome.com": "the Redis operator",
    "secrets.hashicorp.com": "the Vault Secrets Operator",
}
OTHERS = {
    "monitoring.coreos.com": "Prometheus' operator (or set monitoring.enabled: false)",
}
INSTALL = "vrooli check --operators --fix"


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
    if group in OPERATORS:
        remedy = f"Install {OPERATORS[group]}: `vrooli setup` brings the operators."
        return Finding("api-resources", kind, said, remedy, INSTALL)
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
