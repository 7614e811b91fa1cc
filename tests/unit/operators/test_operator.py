"""What the operators are made of, as far as it can be seen without a cluster."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import pytest

from vrooli import operators
from vrooli.kube import Kube
from vrooli.operators.installation import crds, images, record
from vrooli.operators.model import Operator, Site, Source

HASHES = {
    "localhost/vrooli/postgres-operator:5.4": "aaa",
    "localhost/vrooli/redis-operator:1.2.4": "bbb",
    "localhost/vrooli/vault-secrets-operator:0.10.0": "ccc",
    "localhost/vrooli/metrics-proxy:1": "ddd",
}


def site(hashes: dict[str, str]) -> Site:
    return Site(cast(Kube, None), Path("kubeconfig"), hashes)


def fingerprint(operator: Operator, source: Source, hashes: dict[str, str]) -> str:
    return record.fingerprint(operator.inputs(source, site(hashes)))


each = pytest.mark.parametrize("operator", operators.OPERATORS, ids=lambda operator: operator.name)


@each
def test_namespaces_are_the_seeds(operator: Operator) -> None:
    assert operator.namespace in {
        "postgres-operator",
        "redis-operator",
        "vault-secrets-operator-system",
    }


@each
def test_vendor_needs_no_image_of_ours(operator: Operator) -> None:
    assert operator.distributions[Source.VENDOR].images == ()
    assert all(
        name.startswith("localhost/") for name in operator.distributions[Source.GO_MODULE].images
    )


@each
def test_image_built_anew_is_installed_anew(operator: Operator) -> None:
    rebuilt = {name: f"{value}2" for name, value in HASHES.items()}
    same = fingerprint(operator, Source.GO_MODULE, HASHES)
    assert fingerprint(operator, Source.GO_MODULE, dict(HASHES)) == same
    assert fingerprint(operator, Source.GO_MODULE, rebuilt) != same


@each
def test_vendors_operator_does_not_care_for_our_images(operator: Operator) -> None:
    assert fingerprint(operator, Source.VENDOR, HASHES) == fingerprint(operator, Source.VENDOR, {})


def test_pgo_says_openly_which_version_each_source_is() -> None:
    assert operators.PGO.distributions[Source.VENDOR].version == "5.8.2"
    assert operators.PGO.distributions[Source.GO_MODULE].version == "5.4"


def test_image_reference_is_split_at_its_tag() -> None:
    assert images.split("localhost:5000/a/b:1.2") == ("localhost:5000/a/b", "1.2")


def test_empty_documents_of_a_yaml_text_are_left_out() -> None:
    assert crds.documents("---\nkind: A\n---\n---\nkind: B\n") == [{"kind": "A"}, {"kind": "B"}]
