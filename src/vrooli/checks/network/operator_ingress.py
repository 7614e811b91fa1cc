"""The network policies admit the Redis operator to the pods of Redis and Sentinel."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from vrooli import shell
from vrooli.checks.interface import Check, CheckResult, Site
from vrooli.findings import Finding
from vrooli.kube.common_labels import NAMESPACE_NAME
from vrooli.kube.objects import Body, items, mapping, number, text
from vrooli.operators import REDIS
from vrooli.operators.installation.install import find_deployment
from vrooli.operators.redis.names import SENTINEL_PORT

VALUE = "networkPolicies.redisOperatorNamespace"


async def run(site: Site) -> CheckResult:
    """Compare the operator's namespace with those that the policies admit."""
    deployment = await find_deployment(REDIS, site.kube)
    if deployment is None:
        return CheckResult(unavailable=("the Redis operator is not installed",))
    return judge(text(deployment, "metadata", "namespace"), admitted(site))


def admitted(site: Site) -> frozenset[str]:
    """The other namespaces from which the release's policies admit connections to Sentinel."""
    return frozenset(_namespaces(item.body for item in site.of_kind("NetworkPolicy")))


def _namespaces(policies: Iterable[Body]) -> Iterator[str]:
    for policy in policies:
        for rule in items(policy, "spec", "ingress"):
            if any(number(port, "port") == SENTINEL_PORT for port in items(rule, "ports")):
                for peer in items(rule, "from"):
                    yield text(mapping(peer, "namespaceSelector", "matchLabels"), NAMESPACE_NAME)


def judge(namespace: str, allowed: frozenset[str]) -> CheckResult:
    """Whether the operator's namespace is one of those."""
    if namespace in allowed:
        return CheckResult(f"the policies admit it from namespace {namespace}")
    finding = Finding(
        "operator-ingress",
        "NetworkPolicy",
        f"the Redis operator runs in namespace {namespace}, from which the policies admit no "
        "connections to Redis. It could not set up replication.",
        f"Set {VALUE} to {namespace}.",
        f"kubectl get pods -n {shell.label(namespace)} -l {shell.selector(REDIS.selector)}",
    )
    return CheckResult(findings=(finding,))


def skip_reason(site: Site) -> str:
    """Why the check is not needed."""
    return "" if any(admitted(site)) else "these values have no network policies of Redis"


CHECK = Check(
    "operator-ingress",
    "Operator ingress",
    "the network policies admit the Redis operator, where it runs, to Redis and Sentinel",
    run,
    skip_reason,
    after=(REDIS.name,),
    stops_deploy=True,
)
