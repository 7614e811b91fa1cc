"""What writing an earlier version of a secret changes, and which versions are refused."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from support.release.rotated_secrets import PLACE, POSTGRES_SYNC, REDIS_SYNC, SHARED_SYNC, sync
from vrooli.rotation import versions
from vrooli.rotation.model import Rotated, SyncedSecret, Target
from vrooli.rotation.versions import Restoration
from vrooli.vault.key_values import SecretVersion

POSTGRES = Target(PLACE, POSTGRES_SYNC, "rotator", "state", name=Rotated.POSTGRES)
REDIS = Target(PLACE, REDIS_SYNC, "rotator", "state", name=Rotated.REDIS)
SHARED = Target(PLACE, SHARED_SYNC, name=Rotated.SHARED)
DATABASE = {"DB_NAME": "vrooli", "DB_USER": "vrooli"}
TIME = datetime(2026, 11, 29, 14, 5, tzinfo=UTC)


def version(number: int, values: dict[str, Any] | None, **fields: Any) -> SecretVersion:
    return SecretVersion(number, **{"created": TIME, "values": values, **fields})


def restoration(
    before: dict[str, Any] | None, earlier: dict[str, Any] | None, *secrets: SyncedSecret
) -> Restoration:
    return Restoration(secrets or (SHARED,), 3, version(5, before), version(3, earlier), TIME)


def test_the_names_of_the_keys_are_shown_by_what_becomes_of_them() -> None:
    item = restoration(
        {"JWT_SECRET": "new-value", "OPENAI_API_KEY": "same", "EXTRA": "x"},
        {"JWT_SECRET": "old-value", "OPENAI_API_KEY": "same", "STRIPE_SECRET_KEY": "s"},
    )
    assert item.problem() is None
    assert item.describe() == (
        "secret/vrooli/secrets/shared-server-jobs: version 5 -> 3: changes JWT_SECRET; adds "
        "STRIPE_SECRET_KEY; removes EXTRA"
    )
    assert item.after == {"JWT_SECRET": "old-value", "OPENAI_API_KEY": "same"} | {
        "STRIPE_SECRET_KEY": "s"
    }
    assert not any(value in repr(item) for value in ("old-value", "new-value"))


def test_equal_values_are_no_change() -> None:
    item = restoration({"JWT_SECRET": "a"}, {"JWT_SECRET": "a"})
    assert item.is_equal
    assert item.describe().endswith("version 5 -> 3: the values are equal")


def test_a_key_that_the_catalog_or_a_template_requires_is_kept() -> None:
    template = {"transformation": {"templates": {"url": {"text": '{{ get .Secrets "TOKEN" }}'}}}}
    body = sync("extra", "extra", "extra")
    body["spec"]["destination"] |= template
    extra = SyncedSecret(PLACE, body)
    item = restoration({"TOKEN": "t", "OTHER": "o", "A": "new"}, {"A": "old"}, extra)
    assert (item.kept, item.removed, item.changed) == (("TOKEN",), ("OTHER",), ("A",))
    assert item.after == {"TOKEN": "t", "A": "old"}
    assert "keeps TOKEN, which the release requires" in item.describe()
    item = restoration({**DATABASE, "DB_PASSWORD": "p"}, {"DB_PASSWORD": "q"}, POSTGRES)
    assert item.kept == ("DB_NAME", "DB_USER")


def test_a_deleted_current_version_is_written_again() -> None:
    item = restoration(None, {"JWT_SECRET": "a"})
    assert item.problem() is None
    assert not item.is_equal
    assert item.describe().endswith("version 5 (deleted) -> 3: adds JWT_SECRET")


def test_a_secret_with_two_copies_is_followed_by_the_one_that_is_rotated() -> None:
    user = SyncedSecret(PLACE, sync("postgres-user", POSTGRES.path, "vrooli-pg-pguser-vrooli"))
    grouped = versions.by_place([user, POSTGRES, SHARED])
    assert grouped == {
        "secret/vrooli/secrets/postgres": (user, POSTGRES),
        "secret/vrooli/secrets/shared-server-jobs": (SHARED,),
    }
    assert restoration({}, {}, user, POSTGRES).first is POSTGRES


NAME = "secret/vrooli/secrets/shared-server-jobs"
JWT = {"JWT_SECRET": "a"}


@pytest.mark.parametrize(
    ("present", "earlier", "text", "advice"),
    [
        (None, version(3, JWT), f"Vault has no secret {NAME} any more", "`vrooli setup`"),
        (version(5, JWT), None, f"Vault does not have version 3 of {NAME}", "another point"),
        (
            version(5, JWT),
            version(3, None, is_destroyed=True),
            f"The values of version 3 of {NAME} were destroyed",
            "another point",
        ),
        (
            version(5, JWT),
            version(3, None),
            f"Version 3 of {NAME} was deleted",
            "`vault kv undelete -mount=secret -versions=3 vrooli/secrets/shared-server-jobs`",
        ),
        (
            version(5, JWT),
            version(3, JWT, created=TIME + timedelta(hours=1)),
            "was created again after the point",
            "another point",
        ),
        (version(5, {}), version(3, {"A": "a"}), "has JWT_SECRET, which the release", "rollback"),
        (version(5, JWT), version(3, {"JWT_SECRET": ""}), "cannot be used: it is empty", "point"),
        (version(5, JWT), version(3, {"JWT_SECRET": 7}), "cannot be used: it is a int", "point"),
    ],
)
def test_a_version_that_cannot_be_restored_says_what_to_do(
    present: SecretVersion | None, earlier: SecretVersion | None, text: str, advice: str
) -> None:
    problem = Restoration((SHARED,), 3, present, earlier, TIME).problem()
    assert problem is not None
    assert text in problem.text
    assert advice in problem.advice


def test_a_password_that_redis_cannot_hold_is_refused() -> None:
    item = restoration({"REDIS_PASSWORD": "a"}, {"REDIS_PASSWORD": "two words"}, REDIS)
    problem = item.problem()
    assert problem is not None
    assert "REDIS_PASSWORD of version 3" in problem.text
    assert "two words" not in f"{problem}"


def test_without_a_point_the_time_of_a_version_does_not_matter() -> None:
    later = version(3, {"JWT_SECRET": "b"}, created=TIME + timedelta(days=1))
    assert Restoration((SHARED,), 3, version(5, JWT), later).problem() is None
