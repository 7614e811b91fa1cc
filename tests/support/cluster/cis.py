"""How checks of the CIS Kubernetes Benchmark are evaluated.

Each is evaluated on the command lines and the files of a cluster as they are started, so the table
in the documentation can't say what the code doesn't do.
"""

from __future__ import annotations

import stat
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from support.cluster.embedded_samples import MODERN, layout, record
from vrooli.cluster.embedded.components import certificates, config_files
from vrooli.cluster.embedded.components.catalog import components
from vrooli.cluster.embedded.lifecycle.start import create_folders

PASS, FAIL, NOT_APPLICABLE = "pass", "fail", "not applicable"
API = "kube-apiserver"


@dataclass(frozen=True)
class Rendered:
    """A cluster's components as they are started.

    Attributes:
        flags: Each component's flags by name, without the dashes.
        kubelet: The kubelet's configuration file.
        kube_proxy: kube-proxy's.
        encryption: The API server's encryption of objects.
        audit: The API server's audit policy.
        root: The cluster's folder.
    """

    flags: Mapping[str, Mapping[str, str]]
    kubelet: Mapping[str, Any]
    kube_proxy: Mapping[str, Any]
    encryption: Mapping[str, Any]
    audit: Mapping[str, Any]
    root: Path

    def mode(self, pattern: str) -> int:
        """All mode bits of the files that match, together."""
        modes = [stat.S_IMODE(path.stat().st_mode) for path in self.root.glob(pattern)]
        assert modes, pattern
        bits = 0
        for mode in modes:
            bits |= mode
        return bits


def render(folder: Path) -> Rendered:
    """Write the files of a sample cluster to a folder, and read them back."""
    place, sample = layout(folder), record()
    create_folders(place)
    certificates.ensure(place.pki, place.node, sample.host_link)
    config_files.write_all(place, sample, MODERN)
    flags = {
        part.name: {
            name: value
            for name, _, value in (
                word[2:].partition("=") for word in part.argv[6:] if word.startswith("--")
            )
        }
        for part in components(place, sample)
    }
    files = {
        name: yaml.safe_load((place.config / f"{name}.yaml").read_text())
        for name in ("kubelet", "kube-proxy", "encryption", "audit-policy")
    }
    return Rendered(
        flags,
        files["kubelet"],
        files["kube-proxy"],
        files["encryption"],
        files["audit-policy"],
        place.root,
    )


# What shows that a check passes, or empty if it fails.
Evaluation = Callable[[Rendered], str]


@dataclass(frozen=True)
class Check:
    """One check.

    Attributes:
        id: Its number in the benchmark.
        subject: What it requires.
        evaluate: Shows whether it passes; none if it does not apply.
        reason: Why it fails or does not apply.
    """

    id: str
    subject: str
    evaluate: Evaluation | None
    reason: str = ""

    def row(self, rendered: Rendered) -> str:
        """Its row of the table."""
        shown = self.evaluate(rendered) if self.evaluate else ""
        result = NOT_APPLICABLE if self.evaluate is None else PASS if shown else FAIL
        return f"| {self.id} | {self.subject} | {result} | {shown or self.reason} |"


def flag(component: str, name: str, accept: Callable[[str], bool] = bool) -> Evaluation:
    """A flag that must be set to an accepted value."""

    def evaluate(rendered: Rendered) -> str:
        value = rendered.flags[component].get(name)
        if value is None or not accept(value):
            return ""
        short = value.replace(f"{rendered.root}/", "")
        return f"`--{name}={short}`" if len(short) <= 60 else f"`--{name}`"

    return evaluate


def flags(component: str, *names: str) -> Evaluation:
    """Several flags that must be set."""

    def evaluate(rendered: Rendered) -> str:
        if not all(rendered.flags[component].get(name) for name in names):
            return ""
        return ", ".join(f"`--{name}`" for name in names)

    return evaluate


def without(component: str, name: str, forbidden: str = "", default: str = "") -> Evaluation:
    """A flag that must not be set, or not contain a value."""

    def evaluate(rendered: Rendered) -> str:
        value = rendered.flags[component].get(name)
        if value is None:
            return default or f"`--{name}` is not set"
        return f"`--{name}={value}`" if forbidden and forbidden not in value.split(",") else ""

    return evaluate


def equals(expected: str) -> Callable[[str], bool]:
    return lambda value: value == expected


def contains(expected: str) -> Callable[[str], bool]:
    return lambda value: expected in value.split(",")


def at_least(least: int) -> Callable[[str], bool]:
    return lambda value: int(value) >= least


def setting(path: str, accept: Callable[[Any], bool], shown: str = "") -> Evaluation:
    """A field of the kubelet's configuration with an accepted value."""

    def evaluate(rendered: Rendered) -> str:
        value: Any = rendered.kubelet
        for key in path.split("."):
            value = value.get(key) if isinstance(value, dict) else None
        if value is None or not accept(value):
            return ""
        return shown or f"`{path}: {yaml.safe_dump(value).splitlines()[0]}`"

    return evaluate


def mode(pattern: str, most: int) -> Evaluation:
    """Files that must have at most these permissions."""
    return lambda rendered: (
        f"`{pattern}` has {rendered.mode(pattern):04o}"
        if not rendered.mode(pattern) & ~most
        else ""
    )


def owner(pattern: str) -> Evaluation:
    """Files that the starting user owns, who is root."""

    def evaluate(rendered: Rendered) -> str:
        owners = {path.stat().st_uid for path in rendered.root.glob(pattern)}
        return "root creates them" if owners == {rendered.root.stat().st_uid} else ""

    return evaluate


def strong_ciphers(rendered: Rendered) -> str:
    suites = {
        *rendered.flags[API].get("tls-cipher-suites", "").split(","),
        *rendered.kubelet.get("tlsCipherSuites", ["none"]),
    }
    strong = all(
        suite.startswith("TLS_ECDHE_")
        and suite.endswith(("GCM_SHA256", "GCM_SHA384", "POLY1305_SHA256"))
        for suite in suites
    )
    return "ECDHE with AES-GCM or ChaCha20-Poly1305 only" if strong else ""


def encrypts(rendered: Rendered) -> str:
    (resources,) = rendered.encryption["resources"]
    first = next(iter(resources["providers"][0]))
    encrypted = {"secrets", "configmaps"} <= set(resources["resources"])
    strong = first in ("secretbox", "aescbc", "kms") and encrypted
    return (
        f"`{first}` for Secrets and ConfigMaps; the key is `pki/encryption.key`" if strong else ""
    )


def audits(rendered: Rendered) -> str:
    rules = [rule for rule in rendered.audit["rules"] if rule["level"] == "Metadata"]
    names = {
        name for rule in rules for group in rule.get("resources", ()) for name in group["resources"]
    }
    needed = {
        "secrets",
        "tokenreviews",
        "pods/exec",
        "pods/portforward",
        "pods/proxy",
        "services/proxy",
    }
    changes = any(
        {"create", "update", "patch", "delete"} <= set(rule.get("verbs", ())) for rule in rules
    )
    complete = needed <= names and changes
    return "Secrets, tokens, `exec`, `portforward`, `proxy` and all changes" if complete else ""


def own_authority(rendered: Rendered) -> str:
    etcd, api = rendered.flags["etcd"], rendered.flags[API]
    differ = etcd["trusted-ca-file"] != api["client-ca-file"]
    return "`etcd-ca.crt` signs certificates of etcd only" if differ else ""


def metrics(rendered: Rendered) -> str:
    address = str(rendered.kube_proxy["metricsBindAddress"])
    return f"`metricsBindAddress: {address}`" if address.startswith("127.0.0.1:") else ""
