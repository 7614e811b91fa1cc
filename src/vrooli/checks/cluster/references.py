"""The Secrets and ConfigMaps that the values name, and nothing of the release makes, exist.

Only the names of their keys are used.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial

from vrooli import shell
from vrooli.chart.manifest import Manifest
from vrooli.checks.interface import Check, CheckResult, Site
from vrooli.checks.runner import is_forbidden
from vrooli.findings import Finding
from vrooli.grammar import counted
from vrooli.kube import ApiError, gather_limited, references
from vrooli.kube.objects import Body, Ref, items, mapping, text
from vrooli.kube.references import CONFIG_MAP, SECRET, Reference
from vrooli.operators.pgo import names as pgo
from vrooli.operators.redis import names as redis
from vrooli.operators.vso import names as vso

NAME = "references"
# Kubernetes and OpenShift make them in each namespace.
IN_EACH_NAMESPACE = ("kube-root-ca.crt", "openshift-service-ca.crt")
# The rotator's settings with the Secrets that it makes (_rotation.tpl in the chart).
PUBLISHED = ("POSTGRES_SECRET", "REDIS_SECRET")
# The key that the Redis operator reads, and those that VSO reads for a login to Vault.
REDIS_KEY = "password"
VAULT_KEYS = {"appRole": "id", "jwt": "jwt"}

# The readers of each key of an object that must exist; the empty key stands for the object.
Readers = Mapping[str, frozenset[str]]
# The keys of objects; None for one that does not exist.
Keys = Mapping[Ref, frozenset[str] | None]


async def run(site: Site) -> CheckResult:
    """Read the keys of each object that must exist."""
    needed = needs(site)
    known: dict[Ref, frozenset[str] | None] = {**_of_release(site)}
    others = [ref for ref in needed if ref not in known]
    denied = []
    for ref, keys in zip(others, await gather_limited(partial(_keys, site), others), strict=True):
        if isinstance(keys, str):
            denied.append(keys)
        else:
            known[ref] = keys
    count = len(others) - len(denied)
    return CheckResult(
        f"{counted(count, 'object')} of others read" if count else "",
        judge(needed, known, site.namespace),
        tuple(denied),
    )


async def _keys(site: Site, ref: Ref) -> frozenset[str] | str | None:
    """The keys of an object; None if it does not exist, and the denial as text."""
    try:
        body = await site.kube.get("v1", ref.kind, ref.name, site.namespace)
    except ApiError as error:
        if not is_forbidden(error):
            raise
        return error.message
    return None if body is None else keys_of(body)


def keys_of(body: Body) -> frozenset[str]:
    """The keys of a Secret or ConfigMap."""
    return frozenset(mapping(body, "data")) | frozenset(mapping(body, "binaryData"))


def judge(needed: Mapping[Ref, Readers], known: Keys, namespace: str) -> tuple[Finding, ...]:
    """The objects and keys that do not exist.

    Args:
        needed: The objects that must exist, with the readers of each key.
        known: The keys of those that could be read.
        namespace: The namespace of the release.
    """
    findings = []
    for ref, readers in needed.items():
        if ref not in known:
            continue  # it may not be read
        keys = known[ref]
        missing = {key: names for key, names in readers.items() if key and key not in (keys or ())}
        if keys is None:
            findings.append(_absent(ref, readers, namespace))
        elif missing:
            findings.append(_incomplete(ref, missing, namespace))
    return tuple(findings)


def _absent(ref: Ref, readers: Readers, namespace: str) -> Finding:
    keys = sorted(filter(None, readers))
    with_keys = f" with {', '.join(keys)}" if keys else ""
    what = "secret generic" if ref.kind == SECRET else "configmap"
    content = [f"--from-file={shell.key(key)}" for key in keys] or ["--from-env-file=FILE"]
    arguments = " ".join(content)
    return Finding(
        NAME,
        str(ref),
        f"it does not exist in namespace {namespace}, but {_format(readers)}.",
        f"Create it{with_keys}, or correct its name in the values.",
        f"kubectl create {what} {shell.name(ref.name)} -n {shell.label(namespace)} {arguments}",
    )


def _incomplete(ref: Ref, missing: Readers, namespace: str) -> Finding:
    return Finding(
        NAME,
        str(ref),
        f"in namespace {namespace}, it has no {', '.join(sorted(missing))}, but "
        f"{_format(missing)}.",
        "Add it, or correct the key in the values.",
        f"kubectl describe {Ref(ref.kind, ref.name, namespace).words}",
    )


def _format(readers: Readers) -> str:
    names = sorted(frozenset().union(*readers.values()))
    return f"{', '.join(names)} {'reads' if len(names) == 1 else 'read'} it"


def needs(site: Site) -> dict[Ref, dict[str, frozenset[str]]]:
    """What must exist before the release: the readers of each key of an object."""
    made, own = _made(site), _of_release(site)
    result: dict[Ref, dict[str, frozenset[str]]] = {}
    for item in site.manifests:
        for reference in _named(item):
            ref, key = Ref(reference.kind, reference.name), reference.key
            if reference.is_optional or ref in made or (ref in own and key in {"", *own[ref]}):
                continue
            readers = result.setdefault(ref, {})
            readers[key] = readers.get(key, frozenset()) | {item.key}
    return result


def _named(item: Manifest) -> Iterator[Reference]:
    """What an object, or what is made from it, reads."""
    spec = mapping(item.body, "spec")
    match item.kind:
        case pgo.KIND:
            for source in items(spec, "backups", "pgbackrest", "configuration"):
                yield from references.of_source(source)
        case redis.KIND:
            if name := text(spec, "auth", "secretPath"):
                yield Reference(SECRET, name, REDIS_KEY)
        case vso.AUTH:
            for method, key in VAULT_KEYS.items():
                if name := text(spec, method, "secretRef"):
                    yield Reference(SECRET, name, key)
        case "Pod":
            yield from references.of_pod(spec)
        case _:
            yield from references.of_pod(mapping(spec, "template", "spec"))


def _of_release(site: Site) -> dict[Ref, frozenset[str]]:
    """The keys of the release's own ConfigMaps; its Secrets get theirs later."""
    return {Ref(item.kind, item.name): keys_of(item.body) for item in site.of_kind(CONFIG_MAP)}


def _made(site: Site) -> set[Ref]:
    """The objects that are made with the release, without those whose keys are known."""
    result = {Ref(CONFIG_MAP, name) for name in IN_EACH_NAMESPACE}
    secrets = set(site.created_secrets)
    for item in site.manifests:
        spec = mapping(item.body, "spec")
        match item.kind:
            case references.SECRET:
                secrets.add(item.name)
            case vso.STATIC_SECRET:
                secrets.add(text(spec, "destination", "name"))
            case pgo.KIND:
                users = [text(user, "name") for user in items(spec, "users")]
                secrets |= pgo.secrets(item.name, users)
                result |= {Ref(CONFIG_MAP, name) for name in pgo.config_maps(item.name)}
            case redis.KIND:
                result |= {Ref(CONFIG_MAP, name) for name in redis.config_maps(item.name)}
            case "Deployment":
                secrets |= set(_published(item.body))
    return result | {Ref(SECRET, name) for name in secrets}


def _published(deployment: Body) -> Iterator[str]:
    """The Secrets that a rotator makes."""
    for container in items(deployment, "spec", "template", "spec", "containers"):
        for setting in items(container, "env"):
            if text(setting, "name") in PUBLISHED:
                yield text(setting, "value")


def skip_reason(site: Site) -> str:
    """Why nothing has to exist before the release."""
    return "" if needs(site) else "the release makes every Secret and ConfigMap that it names"


CHECK = Check(
    NAME,
    "Secrets and ConfigMaps of others",
    "the Secrets and ConfigMaps that the values name, and that neither the release nor Vault's "
    "Secrets Operator nor another operator makes, exist and have the keys that are read (values "
    "are not shown); those with `optional: true` may be missing",
    run,
    skip_reason,
    stops_deploy=True,
)
