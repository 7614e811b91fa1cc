"""The five secrets: their paths in Vault, names in Kubernetes, keys and initial values.

Paths, names and upper-case keys are from the specification ("Vault Policies and Authentication").
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass

# The length of a generated password, random bytes; written as hex digits, which need no quoting
# in URLs, configuration files or shells.
PASSWORD_BYTES = 24


@dataclass(frozen=True)
class Key:
    """One key of a secret.

    Attributes:
        name: Its name in Vault and in Kubernetes.
        variable: Its name in a secrets file; by default the same.
        first: Its initial value, if that is not secret.
        password: Whether its initial value is generated.
        required: Whether an empty value is an error, since the release cannot work with it.
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
        """An initial value; a password is generated at each call."""
        return secrets.token_hex(PASSWORD_BYTES) if self.password else self.first


@dataclass(frozen=True)
class SecretSpec:
    """One of the five secrets.

    Attributes:
        title: Its description for users.
        path: Its path in Vault, below the mount ``secret/``.
        kubernetes: The name of its Kubernetes Secret, unless the values have another one.
        value: Its key in ``vso.secrets`` of the chart's values.
        keys: Its keys.
    """

    title: str
    path: str
    kubernetes: str
    value: str
    keys: tuple[Key, ...]

    def first_values(self) -> dict[str, str]:
        """Initial values by key."""
        return {key.name: key.first_value() for key in self.keys}


SHARED_CONFIG = SecretSpec(
    "configuration of UI, server and jobs",
    "vrooli/config/shared-all",
    "vrooli-config-shared-all",
    "sharedConfigAll",
    (Key("VITE_GOOGLE_TRACKING_ID"), Key("VITE_STRIPE_PUBLISHABLE_KEY")),
)
SERVER_JOBS = SecretSpec(
    "keys of server and jobs",
    "vrooli/secrets/shared-server-jobs",
    "vrooli-secrets-shared-server-jobs",
    "sharedSecretsServerJobs",
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
    "postgres",
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
    "redis",
    (Key("REDIS_PASSWORD", password=True, required=True),),
)
# Container runtimes treat an empty user and password as anonymous, which can pull public images.
DOCKERHUB = SecretSpec(
    "Docker Hub",
    "vrooli/dockerhub/pull-credentials",
    "vrooli-dockerhub-pull-secret",
    "dockerhubPullSecret",
    (Key("username", "DOCKERHUB_USERNAME"), Key("password", "DOCKERHUB_PASSWORD")),
)
ALL = (SHARED_CONFIG, SERVER_JOBS, POSTGRES, REDIS, DOCKERHUB)

# Values of all five, by the secret's path.
Values = Mapping[str, Mapping[str, str]]
