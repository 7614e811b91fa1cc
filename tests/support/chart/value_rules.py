"""The rules between values, in Python: what a set of values must change so that they agree.

The schema and templates/_checks.tpl hold the same rules; whoever draws values at random needs them.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from vrooli import project
from vrooli.chart import values

Values = dict[str, Any]
DEFAULTS = values.read(project.chart_dir() / "values.yaml")
# The newest that the definition of PGO in these tests knows; newer operators know newer ones.
NEWEST_POSTGRES = 15
RESOURCES = (
    *(f"services.{key}.resources" for key in DEFAULTS["services"]),
    "pgoPostgresql.resources",
    "pgoPostgresql.sidecarResources",
    "pgoPostgresql.pgBouncer.resources",
    "pgoPostgresql.backup.resources",
    "rotation.resources",
    "spotahomeRedis.redis.resources",
    "spotahomeRedis.sentinel.resources",
)
# What each place of backups outside the cluster needs.
CLOUDS = {
    "s3": ("bucket", "endpoint", "region", "secretName"),
    "gcs": ("bucket", "secretName"),
    "azure": ("container", "secretName"),
}
# What a Secret's name has room for beside the suffix of VSO's.
LONGEST_SOURCE = 253 - len("-vault")
# The environments that require https with a verified certificate of Vault.
PROTECTED = ("staging", "production")
ANYWHERE = {"host": "", "paths": [{"path": "/", "service": "ui"}]}
_UNITS = {unit: Decimal(1000) ** power for power, unit in enumerate(["", "k", *"MGTPE"])}
_UNITS |= {f"{unit}i": Decimal(1024) ** power for power, unit in enumerate("KMGTPE", start=1)}
_UNITS["m"] = Decimal("0.001")


def agreeing(supplied: Values) -> Values:
    """The same values, with those changed that others forbid."""
    for rule in (
        _security,
        _databases,
        _postgres,
        _redis,
        _secrets,
        _services,
        _ingress,
        _gateway,
        _resources,
        _networks,
    ):
        for path, value in rule(supplied).items():
            supplied = replaced(supplied, tuple(path.split(".")), value)
    return supplied


def replaced(supplied: Mapping[str, Any], path: tuple[str, ...], value: Any) -> Values:
    """The same values with another one at a path, whatever was there."""
    key, *rest = path
    below = supplied.get(key, {})
    return {**supplied, key: replaced(below, tuple(rest), value) if rest else value}


def at(supplied: Mapping[str, Any], path: str) -> Any:
    """What is at a dotted path, the chart's own values below the given ones."""
    whole: Any = values.merge(DEFAULTS, supplied)
    for key in path.split("."):
        whole = whole[key]
    return whole


def quantity(text: str | int) -> Decimal:
    """A quantity of Kubernetes as a number."""
    result = re.fullmatch(r"([0-9.]+)([A-Za-z]*)", str(text))
    assert result is not None
    return Decimal(result[1]) * _UNITS[result[2]]


def _security(supplied: Values) -> Values:
    """A seccomp profile has a file exactly when it is a local one."""
    changed: Values = {}
    for path in ("podSecurityContext", "containerSecurityContext"):
        profile = at(supplied, path).get("seccompProfile", {})
        if profile.get("type") == "Localhost" or "localhostProfile" in profile:
            local = {"type": "Localhost", "localhostProfile": "profiles/audit.json"}
            changed[f"{path}.seccompProfile"] = {**local, **profile, "type": "Localhost"}
    return changed


def _databases(supplied: Values) -> Values:
    postgres, redis = at(supplied, "pgoPostgresql.enabled"), at(supplied, "spotahomeRedis.enabled")
    db_host, redis_host = (
        at(supplied, "externalPostgresql.host"),
        at(supplied, "externalRedis.host"),
    )
    return {
        "externalPostgresql.host": "" if postgres else db_host or "db.example.com",
        "externalRedis.host": "" if redis else redis_host or "redis.example.com",
        "persistence.postgres.enabled": postgres or at(supplied, "persistence.postgres.enabled"),
        "vso.secrets.redis.enabled": redis or at(supplied, "vso.secrets.redis.enabled"),
    }


def _postgres(supplied: Values) -> Values:
    cluster = at(supplied, "pgoPostgresql")
    given: Values = {}
    used = {*cluster["backup"]["schedules"].values()}
    for kind, keys in CLOUDS.items():
        cloud = cluster["backup"][kind]
        path = f"pgoPostgresql.backup.{kind}"
        if cloud["enabled"]:
            given |= {f"{path}.{key}": cloud[key] or "given" for key in keys}
            crons = cloud["schedules"]
            given |= {f"{path}.schedules.{name}": "" for name in crons if crons[name] in used}
            used |= {*crons.values()}
    return {
        "pgoPostgresql.users": _users(cluster["users"]),
        "pgoPostgresql.postgresVersion": min(cluster["postgresVersion"], NEWEST_POSTGRES),
        "pgoPostgresql.instances": max(cluster["instances"], 1 + cluster["synchronous"]),
        **given,
    }


def _users(users: list[Values]) -> list[Values]:
    """Each name once, none that of the first one's second login role, and no random attributes."""
    reserved = {"postgres": "a", "public": "b", "none": "c"}
    named = [{**user, "name": reserved.get(user["name"], user["name"])} for user in users]
    defined = {user["name"]: {**user, "options": ""} for user in named}
    defined.pop(f"{named[0]['name']}-alternate", None)
    return list(defined.values())


def _redis(supplied: Values) -> Values:
    redis = at(supplied, "spotahomeRedis")
    most = redis["sentinel"]["replicas"]
    return {"spotahomeRedis.redis.replicas": min(redis["redis"]["replicas"], most)}


def _secrets(supplied: Values) -> Values:
    """No two have the same name, nor that of another's source, which has a suffix."""
    changed: Values = {}
    used: set[str] = set()
    for key, secret in at(supplied, "vso.secrets").items():
        name = secret["k8sSecretName"]
        if {name, f"{name}-vault"} & used or len(name) > LONGEST_SOURCE:
            name = changed[f"vso.secrets.{key}.k8sSecretName"] = f"another-{key.lower()}"
        used |= {name, f"{name}-vault"}
    if at(supplied, "vso.connectionUrls"):
        changed["spotahomeRedis.masterService"] = True
    if at(supplied, "config.env") in PROTECTED:
        changed |= {"vso.skipTLSVerify": False, "vso.allowHttp": True}
    return changed


def _one_autoscaler(path: str, scaling: Values) -> Values:
    """No autoscaler without a metric, and not two of them."""
    targets = (
        scaling["targetCPUUtilizationPercentage"],
        scaling["targetMemoryUtilizationPercentage"],
    )
    enabled = scaling["enabled"] and (any(targets) or bool(scaling["externalMetrics"]))
    with_keda = scaling["keda"]["enabled"] and bool(scaling["keda"]["triggers"]) and not enabled
    return {f"{path}.enabled": enabled, f"{path}.keda.enabled": with_keda}


def _without_autoscaler(key: str) -> Values:
    path = f"services.{key}.autoscaling"
    return {f"{path}.enabled": False, f"{path}.keda.enabled": False}


def _services(supplied: Values) -> Values:
    changed: Values = {}
    for key, service in at(supplied, "services").items():
        scaling, grace = service["autoscaling"], service["terminationGracePeriodSeconds"]
        fewest = min(scaling["minReplicas"], scaling["maxReplicas"])
        changed[f"services.{key}.autoscaling.minReplicas"] = fewest
        changed.update(_one_autoscaler(f"services.{key}.autoscaling", scaling))
        changed[f"services.{key}.drainSeconds"] = min(service["drainSeconds"], grace - 1)
        for path in {"livenessPath", "readinessPath"} - service["probes"].keys():
            changed[f"services.{key}.probes.{path}"] = "/"
        if "alias" in service["service"]:
            changed[f"services.{key}.service.alias"] = f"alias-{key.lower()}"
        if "WORKER_ID" in service["extraEnv"]:
            changed |= {f"replicaCount.{key}": 1, **_without_autoscaler(key)}
        variables = service["pod"].get("variables", {})
        if variables.keys() & {*service["extraEnv"], "WORKER_ID"}:
            changed[f"services.{key}.pod.variables"] = {}
        changed |= _workload(f"services.{key}.workload", service["workload"])
    return changed


def _workload(path: str, workload: Values) -> Values:
    """Settings of its kind only: a StatefulSet has ordinals, a Deployment a strategy."""
    other = "strategy" if workload.get("kind") == "StatefulSet" else "ordinals"
    if other not in workload:
        return {}
    return {path: {name: value for name, value in workload.items() if name != other}}


def _ingress(supplied: Values) -> Values:
    ingress = at(supplied, "ingress")
    hosts, tls = ingress["hosts"] or [ANYWHERE], ingress["tls"]
    if ingress["certManager"]["issuer"] and not tls:
        tls = [{"secretName": "certificate", "hosts": ["a.example.com"]}]
    named = {host["host"] for host in hosts}
    secured = {host for entry in tls for host in entry["hosts"] if not host.startswith("*.")}
    if not secured <= named:
        hosts = [*hosts, ANYWHERE]
    used = {path["service"] for host in hosts for path in host["paths"]}
    shown = {f"services.{key}.enabled": True for key in used if ingress["enabled"]}
    return {"ingress.hosts": hosts, "ingress.tls": tls, **shown}


def _gateway(supplied: Values) -> Values:
    """Hosts once, Gateways with a listener each, and services that run."""
    gateway = at(supplied, "gateway")
    hosts = {host["host"]: host for host in gateway["hosts"] or [ANYWHERE]}
    parents = {
        (parent["name"], parent.get("namespace")): parent
        for parent in gateway["parentRefs"] or [{"name": "public"}]
    }
    used = {path["service"] for host in hosts.values() for path in host["paths"]}
    shown = {f"services.{key}.enabled": True for key in used if gateway["enabled"]}
    return {
        "gateway.hosts": [*hosts.values()],
        "gateway.parentRefs": [*parents.values()],
        "gateway.shareIngressHosts": True,
        **shown,
    }


def _resources(supplied: Values) -> Values:
    """Limits become as high as requests, and those of devices the same."""
    changed: Values = {}
    for path in RESOURCES:
        resources = at(supplied, path)
        requests, limits = resources.get("requests", {}), resources.get("limits", {})
        for name, request in requests.items():
            defined = name in limits
            if "/" in name or (defined and quantity(request) > quantity(limits[name])):
                changed[f"{path}.limits"] = limits = {**limits, name: request}
    return changed


def _networks(supplied: Values) -> Values:
    policies, backup = at(supplied, "networkPolicies"), at(supplied, "pgoPostgresql.backup")
    rules = {
        key: [_rule(rule) for rule in settings] for key, settings in policies["extraEgress"].items()
    }
    return {
        "networkPolicies.extraEgress": rules,
        "networkPolicies.internet.except": [
            _network(cidr) for cidr in policies["internet"]["except"]
        ],
        "networkPolicies.apiServer.cidrs": [
            _network(cidr) for cidr in policies["apiServer"]["cidrs"]
        ],
        **{
            f"pgoPostgresql.backup.{kind}.cidrs": [_network(cidr) for cidr in backup[kind]["cidrs"]]
            for kind in CLOUDS
        },
    }


def _rule(rule: Values) -> Values:
    changed = dict(rule)
    if "ports" in rule:
        changed["ports"] = [
            {
                **port,
                **({"endPort": max(port["endPort"], port["port"])} if "endPort" in port else {}),
            }
            for port in rule["ports"]
        ]
    if "to" in rule:
        changed["to"] = [
            {**peer, **({"ipBlock": _block(peer["ipBlock"])} if "ipBlock" in peer else {})}
            for peer in rule["to"]
        ]
    return changed


def _block(block: Values) -> Values:
    # An exception is a part of its network, and so of the same family.
    sixth = ":" in block["cidr"]
    parts = [_network(cidr) for cidr in block.get("except", []) if (":" in cidr) == sixth]
    retained = {"except": parts} if parts else {}
    return {"cidr": _network(block["cidr"]), **retained}


def _network(cidr: str) -> str:
    """The network that an address with a prefix is in; IPv6's texts are the schema's."""
    return cidr if ":" in cidr else str(ipaddress.ip_network(cidr, strict=False))
