"""The five secrets: where each is in Vault and in Kubernetes, its keys, and their first values.

Paths, names and the keys in upper case are the seed's ("Vault Policies and Authentication").
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass

# Length of a made-up password, bytes of randomness; written as hex digits, which need no quoting
# in URLs, configuration files or shells.
PASSWORD_BYTES = 24


@dataclass(frozen=True)
class Key:
    """One key of a secret.

    Attributes:
        name: In Vault and in Kubernetes.
        variable: In a secrets file; the same unless said.
        first: Its first value, where that isn't secret.
        password: Whether its first value is made up.
        required: Whether an empty value is an error: the release can't work with it.
    """

    name: str
    variable: str = ""
    first: str = ""
    password: bool = False
    required: bool = False

    @property
    def in_file(self) -> str:
        """Its name in a secrets file."""
        return self.variable or self.name

    def first_value(self) -> str:
        """A value to begin with; a new one at each call if it is a password."""
        return secrets.token_hex(PASSWORD_BYTES) if self.password else self.first


@dataclass(frozen=True)
class SecretSpec:
    """One of the five secrets.

    Attributes:
        title: What a person reads.
        path: Its path in Vault, under the mount ``secret/``.
        kubernetes: Its Kubernetes Secret.
        keys: Its keys.
    """

    title: str
    path: str
    kubernetes: str
    keys: tuple[Key, ...]

    def first_values(self) -> dict[str, str]:
        """Values to begin with, by key."""
        return {key.name: key.first_value() for key in self.keys}


SHARED_CONFIG = SecretSpec(
    "configuration of UI, server and jobs",
    "vrooli/config/shared-all",
    "vrooli-config-shared-all",
    (Key("VITE_GOOGLE_TRACKING_ID"), Key("VITE_STRIPE_PUBLISHABLE_KEY")),
)
SERVER_JOBS = SecretSpec(
    "keys of server and jobs",
    "vrooli/secrets/shared-server-jobs",
    "vrooli-secrets-shared-server-jobs",
    (
        Key("JWT_SECRET", password=True, required=True),
        Key("OPENAI_API_KEY"),
        Key("ANTHROPIC_API_KEY"),
        Key("STRIPE_SECRET_KEY"),
    ),
)
POSTGRES = SecretSpec(
    "database",
    "vrooli/secrets/postgres",
    "vrooli-postgres-creds",
    (
        Key("DB_NAME", first="vrooli", required=True),
        Key("DB_USER", first="vrooli", required=True),
        Key("DB_PASSWORD", password=True, required=True),
    ),
)
REDIS = SecretSpec(
    "Redis",
    "vrooli/secrets/redis",
    "vrooli-redis-creds",
    (Key("REDIS_PASSWORD", password=True, required=True),),
)
# Empty user and password mean "anonymous" to container runtimes: public images can be pulled.
DOCKERHUB = SecretSpec(
    "Docker Hub",
    "vrooli/dockerhub/pull-credentials",
    "vrooli-dockerhub-pull-secret",
    (Key("username", "DOCKERHUB_USERNAME"), Key("password", "DOCKERHUB_PASSWORD")),
)
ALL = (SHARED_CONFIG, SERVER_JOBS, POSTGRES, REDIS, DOCKERHUB)

# Values of all five, by the secret's path.
Values = Mapping[str, Mapping[str, str]]
