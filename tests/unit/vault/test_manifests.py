"""The development Vault's objects."""

from __future__ import annotations

import base64

import pytest

from vrooli.checks import probe_objects
from vrooli.operators.vso import names
from vrooli.vault import manifests


def test_each_seal_key_is_new_and_can_not_be_changed() -> None:
    one, other = manifests.seal_key(), manifests.seal_key()
    assert one["data"] != other["data"]
    assert one["immutable"]
    key = bytes.fromhex(base64.b64decode(one["data"]["key"]).decode())
    assert len(key) == manifests.SEAL_KEY_BYTES


def test_new_image_restarts_the_server() -> None:
    def template(image_hash: str) -> object:
        return manifests.server(image_hash)[-1]["spec"]["template"]

    assert template("one") == template("one")
    assert template("one") != template("other")


def test_new_certificate_restarts_the_server() -> None:
    def template(certificate: str) -> object:
        return manifests.server("", certificate)[-1]["spec"]["template"]

    assert template("one") == template("one")
    assert template("one") != template("other")


def test_service_selects_the_server() -> None:
    objects = {item["kind"]: item for item in manifests.server()}
    labels = objects["StatefulSet"]["spec"]["template"]["metadata"]["labels"]
    assert objects["Service"]["spec"]["selector"].items() <= labels.items()


@pytest.mark.parametrize("namespace", [names.NAMESPACE, "security-team"])
def test_only_the_operator_and_the_pods_of_checks_may_connect_to_the_server(namespace: str) -> None:
    objects = manifests.server(client_namespace=namespace)
    (policy,) = (item for item in objects if item["kind"] == "NetworkPolicy")
    (rule,) = policy["spec"]["ingress"]
    operator = {
        "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": namespace}},
        "podSelector": {"matchLabels": names.LABELS},
    }
    labels = probe_objects.namespace("vrooli-check-1")["metadata"]["labels"]
    assert rule["from"][0] == operator
    assert manifests.CLIENT_NAMESPACE == names.NAMESPACE
    assert rule["from"][1]["namespaceSelector"]["matchLabels"].items() <= labels.items()
    assert set(rule["from"][1]) == {"namespaceSelector"}
    ports = (manifests.PORT, manifests.TLS_PORT)
    assert rule["ports"] == [{"protocol": "TCP", "port": port} for port in ports]
    assert policy["spec"]["podSelector"]["matchLabels"] == manifests.SELECTOR
