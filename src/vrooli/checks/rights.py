"""This kubeconfig may do with each kind what a deploy does."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from typing import Any

from vrooli.checks.interface import Check, Seen, Site
from vrooli.findings import Finding

# What a deploy does with each kind of object.
VERBS = ("get", "list", "watch", "create", "patch", "delete")
# What a deploy works with beside the release's own objects: Helm's notes, and its own Lease.
OWN = (("v1", "Secret"), ("coordination.k8s.io/v1", "Lease"))


async def look(site: Site) -> Seen:
    """Ask for each verb on each kind."""
    kinds = dict.fromkeys([*site.needs.kinds, *OWN])
    rules = await site.kube.own_rules(site.namespace)

    async def may(verb: str, api_version: str, kind: str) -> bool:
        resource = await site.kube.plural(api_version, kind)
        # One answer holds all rules, but needn't be all that the server goes by: what it doesn't
        # allow is asked for by itself.
        if allows(rules, verb, api_version.rpartition("/")[0], resource):
            return True
        return await site.kube.may(verb, api_version, kind, site.namespace)

    async def ask(api_version: str, kind: str) -> Finding | None:
        answers = await asyncio.gather(*(may(verb, api_version, kind) for verb in VERBS))
        refused = [verb for verb, allowed in zip(VERBS, answers, strict=True) if not allowed]
        return refusal(kind, refused, site.namespace) if refused else None

    found = await asyncio.gather(*(ask(*kind) for kind in kinds))
    findings = tuple(finding for finding in found if finding is not None)
    said = f"{', '.join(VERBS)} on {len(kinds) - len(findings)} of {len(kinds)} kinds"
    return Seen(said, findings)


def allows(rules: Iterable[Mapping[str, Any]], verb: str, group: str, resource: str) -> bool:
    """Whether a rule allows something with every object of a kind."""

    def has(rule: Mapping[str, Any], field: str, wanted: str) -> bool:
        return bool({"*", wanted} & set(rule.get(field) or ()))

    return any(
        has(rule, "verbs", verb)
        and has(rule, "apiGroups", group)
        and has(rule, "resources", resource)
        and not rule.get("resourceNames")
        for rule in rules
    )


def refusal(kind: str, verbs: list[str], namespace: str) -> Finding:
    """What is said of verbs that this kubeconfig may not use."""
    return Finding(
        "rights",
        kind,
        f"this kubeconfig may not {', '.join(verbs)} it in namespace {namespace}.",
        "Ask for the missing rights, or use another.",
        f"kubectl auth can-i {verbs[0]} {kind} -n {namespace}",
    )


CHECK = Check(
    "rights",
    "Rights of this kubeconfig",
    f"{', '.join(VERBS)} on each kind of the release, on Helm's Secrets and on the deploy's Lease",
    look,
    after=("kinds",),
    stops_deploy=True,
)
