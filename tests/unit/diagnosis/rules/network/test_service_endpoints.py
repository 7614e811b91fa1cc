"""The rule service-without-endpoints."""

from __future__ import annotations

import json
from typing import Any

import pytest

from support.diagnosis.evidence import NOW, evidence, found
from support.objects.network import LABELS, deployed, service, shop
from vrooli.diagnosis.rules.network import service_endpoints


def test_a_service_whose_labels_no_pod_has_is_put_back_as_the_release_noted_it() -> None:
    seen = deployed(evidence(service({"app": "other"}), shop()), service(LABELS))
    (symptom,) = service_endpoints.RULE.find(seen)
    assert "no pod matches its selector app=other" in symptom.message
    assert json.loads(symptom.command.split("'")[1]) == {"spec": {"selector": LABELS}}


@pytest.mark.parametrize("target", ["web", 9090])
def test_a_service_that_leads_to_a_port_which_no_container_offers_is_told(target: object) -> None:
    (symptom,) = service_endpoints.RULE.find(evidence(service(LABELS, target), shop()))
    assert f"targets {target}, but its pods expose 8080, http" in symptom.message


@pytest.mark.parametrize(
    "body",
    [
        service(LABELS),
        service(LABELS, 8080),
        service({}),
        service({"app": "replica"}, ownerReferences=[{"kind": "PostgresCluster", "name": "pg"}]),
        service({"app": "new"}, creationTimestamp=NOW.isoformat()),
    ],
    ids=["by name", "by number", "without selector", "an operator's", "just made"],
)
def test_a_service_that_leads_somewhere_or_need_not_is_well(body: dict[str, Any]) -> None:
    assert not found(service_endpoints.RULE, evidence(body, shop()))
