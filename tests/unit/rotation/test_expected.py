"""What Secrets and pods have when a version of a secret has arrived."""

from __future__ import annotations

import json
from typing import Any

import pytest

from support.release.rotated_secrets import (
    DOCKERHUB_SYNC,
    PLACE,
    POSTGRES_SYNC,
    REDIS_SYNC,
    SHARED_SYNC,
    sync,
)
from vrooli.rotation import expected
from vrooli.rotation.model import Rotated, SyncedSecret, Target

POSTGRES = Target(PLACE, POSTGRES_SYNC, "rotator", "state", name=Rotated.POSTGRES)
REDIS = Target(PLACE, REDIS_SYNC, "rotator", "state", name=Rotated.REDIS)
SHARED = Target(PLACE, SHARED_SYNC, name=Rotated.SHARED)


def templated(body: dict[str, Any], **transformation: Any) -> dict[str, Any]:
    """A VaultStaticSecret with a transformation."""
    destination = {**body["spec"]["destination"], "transformation": transformation}
    return {**body, "spec": {**body["spec"], "destination": destination}}


DOCKERHUB = Target(PLACE, templated(DOCKERHUB_SYNC, excludes=[".*"]), name=Rotated.DOCKERHUB)
USER = SyncedSecret(PLACE, templated(sync("user", "p", "pguser"), excludes=[".*"]))


@pytest.mark.parametrize(
    ("secret", "data", "has_arrived"),
    [
        (SHARED, {"A": "1", "B": "2"}, True),
        (SHARED, {"A": "1", "B": "2", "OTHER": "x"}, True),
        (SHARED, {"A": "1"}, False),
        (SHARED, {"A": "1", "B": "3"}, False),
        (SHARED, {"A": "1", "B": "2", "GONE": ""}, False),
        (POSTGRES, {"A": "1", "B": "2", "DB_USER": "vrooli-alternate"}, True),
        (USER, {}, True),
    ],
)
def test_the_values_of_a_secret_have_arrived(
    secret: SyncedSecret, data: dict[str, str], has_arrived: bool
) -> None:
    values = {"A": "1", "B": "2", "NUMBER": 3}
    if secret is POSTGRES:
        values["DB_USER"] = "vrooli"
    assert expected.has_arrived(secret, data, values, ["GONE"]) is has_arrived


def test_a_login_at_a_registry_is_read_from_its_file() -> None:
    for password in ("new", "old"):
        config = json.dumps({"auths": {"registry": {"password": password}}})
        arrived = expected.has_arrived(
            DOCKERHUB, {".dockerconfigjson": config}, {"password": "new"}
        )
        assert arrived is (password == "new")


def test_a_key_that_a_template_writes_is_not_compared() -> None:
    template = {"A": {"text": '{{ get .Secrets "B" }}'}}
    secret = SyncedSecret(PLACE, templated(sync("x", "x", "x"), templates=template))
    assert expected.has_arrived(secret, {"A": "2", "B": "2"}, {"A": "1", "B": "2"})


@pytest.mark.parametrize(
    ("secret", "keys"),
    [
        (SHARED, {"JWT_SECRET": "a", "DB_USER": "u", "EMPTY": "", "GONE": ""}),
        (POSTGRES, {"JWT_SECRET": "a", "EMPTY": "", "GONE": ""}),
        (REDIS, {}),
        (DOCKERHUB, {}),
    ],
)
def test_pods_restart_for_these_keys(secret: SyncedSecret, keys: dict[str, str]) -> None:
    values = {"JWT_SECRET": "a", "DB_USER": "u", "EMPTY": "", "not-a-variable": "x", "NUMBER": 3}
    assert expected.of_pods(secret, values, ["GONE"]) == keys


def test_pods_restart_for_the_password_of_redis() -> None:
    values = {"REDIS_PASSWORD": "a", "OTHER": "b"}
    assert expected.of_pods(REDIS, values) == {"REDIS_PASSWORD": "a"}
