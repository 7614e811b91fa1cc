"""The secrets that can be rotated, and what is known of one. No I/O here."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from vrooli.kube import Manifest
from vrooli.kube.objects import text
from vrooli.secrets import catalog
from vrooli.secrets.catalog import SecretSpec


class Rotated(StrEnum):
    """A secret that can be rotated."""

    POSTGRES = "postgres"
    REDIS = "redis"
    SHARED = "shared"
    DOCKERHUB = "dockerhub"


@dataclass(frozen=True)
class Kind:
    """How a secret is rotated.

    Attributes:
        spec: The secret.
        key: The key in Vault whose value is replaced.
        published_key: The key with that value in the Secret that pods read.
        is_published: Whether the rotator publishes it, after a database accepts it.
        state: The key in the rotator's state while a rotation is not complete.
    """

    spec: SecretSpec
    key: str
    published_key: str
    is_published: bool = False
    state: str = ""


KINDS: Mapping[Rotated, Kind] = {
    Rotated.POSTGRES: Kind(
        catalog.POSTGRES, "DB_PASSWORD", "DB_PASSWORD", True, "postgres.rotating"
    ),
    Rotated.REDIS: Kind(catalog.REDIS, "REDIS_PASSWORD", "REDIS_PASSWORD", True, "redis.previous"),
    Rotated.SHARED: Kind(catalog.SERVER_JOBS, "JWT_SECRET", "JWT_SECRET"),
    Rotated.DOCKERHUB: Kind(catalog.DOCKERHUB, "password", ".dockerconfigjson"),
}
# Those whose new value is generated; a token of Docker Hub is issued there.
GENERATED = (Rotated.POSTGRES, Rotated.REDIS, Rotated.SHARED)


@dataclass(frozen=True)
class SyncedSecret:
    """One secret of a release in Vault.

    Attributes:
        namespace: The namespace of the release.
        sync: The VaultStaticSecret that copies it from Vault.
        rotator: The rotator's Deployment; empty if the rotator does not publish this secret.
        state_secret: The rotator's own Secret; empty without a rotator.
    """

    namespace: str
    sync: Manifest
    rotator: str = ""
    state_secret: str = ""

    @property
    def mount(self) -> str:
        """Its engine in Vault."""
        return text(self.sync, "spec", "mount")

    @property
    def path(self) -> str:
        """Its path below the engine."""
        return text(self.sync, "spec", "path")

    @property
    def source(self) -> str:
        """The Secret that the Vault Secrets Operator writes."""
        return text(self.sync, "spec", "destination", "name")

    @property
    def published(self) -> str:
        """The Secret that pods read."""
        return self.source.removesuffix("-vault") if self.rotator else self.source


@dataclass(frozen=True)
class Target(SyncedSecret):
    """One that can be rotated.

    Attributes:
        name: Which one.
    """

    name: Rotated = field(kw_only=True)

    @property
    def kind(self) -> Kind:
        """How it is rotated."""
        return KINDS[self.name]


@dataclass(frozen=True)
class Value:
    """The new value of a secret, and that before it.

    Attributes:
        new: The value that all readers get.
        is_written: Whether this command wrote it to Vault; otherwise an interrupted rotation did.
        previous: The data of the published Secret before.
        version: The version in Vault.
    """

    new: str = field(repr=False)
    is_written: bool
    previous: Mapping[str, str] = field(repr=False)
    version: int


def generate() -> str:
    """A new password or key, as ``setup`` generates them."""
    return secrets.token_hex(catalog.PASSWORD_BYTES)
