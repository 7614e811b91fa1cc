"""What a release's objects need of a cluster."""

from __future__ import annotations

from vrooli.chart import engine, values
from vrooli.checks import requirements
from vrooli.environments import ENVIRONMENTS


def _of(environment: str) -> requirements.Requirements:
    found = ENVIRONMENTS[environment]
    chosen = values.load(found)
    return requirements.of(engine.render(chosen, release=found.release, namespace=found.namespace))


def test_the_kinds_of_all_operators_are_needed_once() -> None:
    kinds = _of("dev").kinds
    assert len(kinds) == len(set(kinds))
    assert {kind for _, kind in kinds} >= {
        *("Deployment", "Service", "Ingress", "PostgresCluster", "RedisFailover"),
        *("VaultStaticSecret", "VaultAuth", "VaultConnection"),
    }


def test_volumes_without_a_class_need_the_default_one() -> None:
    assert _of("dev").storage_classes == ("",)


def test_the_ingress_class_and_the_images_are_those_of_the_values() -> None:
    found = _of("dev")
    assert found.ingress_classes == ("traefik",)
    assert "localhost/vrooli/server:dev" in found.images
    assert "localhost/vrooli/redis:7" in found.images


def test_images_of_what_is_switched_off_are_not_needed() -> None:
    assert not any("exporter" in image for image in _of("dev").images)
    assert any("exporter" in image for image in _of("prod").images)
