"""The cluster serves every kind of the release, including those of the operators."""

from __future__ import annotations

import asyncio

from vrooli.checks.interface import Check, CheckResult, Site
from vrooli.findings import Finding
from vrooli.operators import OPERATORS
from vrooli.operators.model import INSTALL_COMMAND

# The operator that serves a group.
SERVED_BY = {group: operator for operator in OPERATORS for group in operator.groups}
OTHERS = {
    "gateway.networking.k8s.io": "the Gateway API and a controller (or set gateway.enabled: false)",
    "keda.sh": "KEDA (or set services.*.autoscaling.keda.enabled: false)",
    "monitoring.coreos.com": "the Prometheus Operator (or set monitoring.enabled: false)",
}


async def run(site: Site) -> CheckResult:
    """Check that the cluster serves every kind in its version."""
    kinds = site.requirements.kinds
    served = await asyncio.gather(*(site.kube.serves(*kind) for kind in kinds))
    missing = [kind for kind, is_served in zip(kinds, served, strict=True) if not is_served]
    message = f"{len(kinds) - len(missing)} of {len(kinds)} kinds are served in their versions"
    return CheckResult(message, tuple(_missing(version, kind) for version, kind in missing))


def _missing(api_version: str, kind: str) -> Finding:
    group = api_version.partition("/")[0]
    message = f"the cluster does not serve it as {api_version}."
    if (operator := SERVED_BY.get(group)) is not None:
        remedy = f"Install the {operator.title}: `vrooli setup` installs the operators."
        return Finding("api-resources", kind, message, remedy, INSTALL_COMMAND)
    remedy = f"Install {OTHERS[group]}." if group in OTHERS else ""
    return Finding("api-resources", kind, message, remedy)


CHECK = Check(
    "api-resources",
    "API resources",
    "the cluster serves every kind of the chart in its version, including CRDs of operators",
    run,
    stops_deploy=True,
    of_operators=True,
)
