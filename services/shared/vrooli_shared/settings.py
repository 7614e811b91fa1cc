"""The settings of the server and the jobs, from environment variables of the same names."""

from __future__ import annotations

import sys
from typing import Any, Literal, Self

from psycopg.conninfo import make_conninfo
from pydantic import Field, SecretStr, ValidationError, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from vrooli_shared import limits, storage
from vrooli_shared.buckets import Rate

# Size of a multipart body without the picture: the text (up to 4 bytes per character), headers.
BODY_OVERHEAD_BYTES = 64 * 1024


class Settings(BaseSettings):
    """Addresses of the database, Redis and the detector, and limits of a post.

    ``database_url`` and ``redis_url`` are for external services and take precedence over the other
    fields. Other environment variables are ignored. Values never appear in errors or in ``repr``.
    """

    model_config = SettingsConfigDict(
        frozen=True, extra="ignore", hide_input_in_errors=True, env_ignore_empty=True
    )

    port: int = Field(default=0, ge=0, le=65535)
    # Empty: all addresses of IPv4 and IPv6.
    listen_address: str = ""
    vrooli_env: str = "development"
    vrooli_version: str = ""
    log_level: Literal["debug", "info", "warn", "warning", "error"] = "info"

    database_url: SecretStr | None = None
    db_host: str = "127.0.0.1"
    db_port: int = 5432
    db_name: str = "vrooli"
    db_user: str = "vrooli"
    db_password: SecretStr = SecretStr("")
    # PGO's default access rules require TLS.
    db_sslmode: str = "require"

    redis_url: SecretStr | None = None
    redis_sentinel_hosts: str = ""
    redis_master_name: str = "mymaster"
    redis_password: SecretStr = SecretStr("")

    nsfw_detector_url: str = ""

    text_max_chars: int = 2_000
    picture_max_bytes: int = 5 * 1024 * 1024
    # All pictures, and all texts, together; without it a part of the volume.
    pictures_max_bytes: int | None = Field(default=None, ge=0)
    texts_max_bytes: int | None = Field(default=None, ge=0)
    db_volume_size: str = ""
    client_requests_per_s: float = Field(default=limits.CLIENT_REQUESTS.per_s, gt=0)
    client_burst: int = Field(default=limits.CLIENT_REQUESTS.burst, ge=1)
    client_posts_per_s: float = Field(default=limits.CLIENT_POSTS.per_s, gt=0)
    client_posts_burst: int = Field(default=limits.CLIENT_POSTS.burst, ge=1)
    client_bytes_per_s: float = Field(default=limits.CLIENT_POST_BYTES.per_s, gt=0)
    client_bytes_burst: int = Field(default=limits.CLIENT_POST_BYTES.burst, ge=1)

    @model_validator(mode="after")
    def _volume_has_a_size(self) -> Self:
        self.budgets()
        return self

    def budgets(self) -> storage.Budgets:
        """The bytes that all pictures together, and all texts, may take."""
        return storage.Budgets(
            storage.budget(
                self.pictures_max_bytes,
                self.db_volume_size,
                storage.PICTURES_PART,
                storage.DEFAULT_PICTURES_BYTES,
            ),
            storage.budget(
                self.texts_max_bytes,
                self.db_volume_size,
                storage.TEXTS_PART,
                storage.DEFAULT_TEXTS_BYTES,
            ),
        )

    def client_rates(self) -> limits.ClientRates:
        """What one client may send."""
        return limits.ClientRates(
            Rate(self.client_requests_per_s, self.client_burst),
            Rate(self.client_posts_per_s, self.client_posts_burst),
            Rate(self.client_bytes_per_s, self.client_bytes_burst),
        )

    def body_max_bytes(self) -> int:
        """The largest body of a request: a picture, its text and the headers of both."""
        return self.picture_max_bytes + BODY_OVERHEAD_BYTES

    @model_validator(mode="after")
    def _the_largest_body_fits_the_rate(self) -> Self:
        if self.client_bytes_burst < self.body_max_bytes() + limits.POST_BYTES:
            raise ValueError("CLIENT_BYTES_BURST must be greater than the largest post")
        return self

    @model_validator(mode="after")
    def _redis_is_named(self) -> Self:
        if self.redis_url is None and not self.sentinels():
            raise ValueError("set REDIS_SENTINEL_HOSTS (host:port, comma separated) or REDIS_URL")
        return self

    def sentinels(self) -> list[tuple[str, int]]:
        """The Sentinels as (host, port); the default port is 26379."""
        parts = [part.strip() for part in self.redis_sentinel_hosts.split(",") if part.strip()]
        named = [part.rpartition(":") if ":" in part else (part, ":", "26379") for part in parts]
        return [(host, int(port)) for host, _, port in named]

    def conninfo(self) -> str:
        """The connection string for libpq; contains the password and must not be logged.

        It sets timeouts, since a failed node doesn't close its connections.
        """
        limits: dict[str, Any] = {
            "connect_timeout": 3,
            "tcp_user_timeout": 5_000,
        }
        if self.database_url is not None:
            return make_conninfo(self.database_url.get_secret_value(), **limits)
        return make_conninfo(
            host=self.db_host,
            port=self.db_port,
            dbname=self.db_name,
            user=self.db_user,
            password=self.db_password.get_secret_value(),
            sslmode=self.db_sslmode,
            gssencmode="disable",  # pgBouncer doesn't support GSS; negotiation costs a round trip
            **limits,
        )


def read() -> Settings:
    """Read the settings; on errors, print the names (never values) and exit with status 2."""
    try:
        return Settings()
    except ValidationError as error:
        for problem in error.errors(include_input=False, include_url=False, include_context=False):
            name = ".".join(str(part) for part in problem["loc"]).upper() or "SETTINGS"
            reason = problem["msg"].removeprefix("Value error, ")  # how pydantic begins our own
            sys.stderr.write(f"{name}: {reason}\n")
        raise SystemExit(2) from None
