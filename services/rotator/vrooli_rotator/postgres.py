"""Rotation of PostgreSQL with two login roles, so that both passwords work while pods restart.

PGO sets the password of each role from a Secret: the key ``password``, with an empty ``verifier``,
which PGO then computes. The second role is a member of the first, and its sessions run as the
first.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote

import psycopg

from vrooli_rotator.consumers import Consumers
from vrooli_rotator.errors import LoginRejectedError, RefusedError, WaitingError
from vrooli_rotator.outcome import Outcome
from vrooli_rotator.published import Published
from vrooli_rotator.secrets import Secret, Secrets, source_data

log = logging.getLogger(__name__)

USER, PASSWORD = "DB_USER", "DB_PASSWORD"
# The address with the credentials, if the chart adds it.
URL = "DB_URL"
ALTERNATE = "-alternate"
# Key of the state Secret that exists until a rotation is complete.
ROTATING = "postgres.rotating"
# Timeout of a login through the pool, seconds.
LOGIN_LIMIT_S = 5
# Delay before PGO is triggered to set a password again, seconds; PGO requires some seconds.
REPAIR_AFTER_S = 60.0
# Part of the error of PostgreSQL and pgBouncer for a wrong password.
REJECTED = "authentication failed"


@dataclass(frozen=True)
class Database:
    """Address of PostgreSQL and names of its Secrets."""

    cluster: str
    user: str
    name: str
    host: str
    port: int
    source: str
    published: str

    @property
    def users(self) -> tuple[str, str]:
        """The two login roles."""
        return self.user, self.user + ALTERNATE

    def user_secret(self, user: str) -> str:
        """The name of PGO's Secret for a role."""
        return f"{self.cluster}-pguser-{user}"

    def other(self, user: str) -> str:
        """The login role that is not ``user``."""
        first, second = self.users
        return first if user == second else second


class PostgresRotation:
    """Applies the password of the source Secret to PostgreSQL and the published Secret."""

    name = "PostgreSQL"

    def __init__(
        self, database: Database, secrets: Secrets, consumers: Consumers, state_secret: str
    ) -> None:
        self._database = database
        self._secrets = secrets
        self._consumers = consumers
        self._state_secret = state_secret
        self._published = Published(
            secrets, database.published, state_secret, "postgres", (USER, PASSWORD)
        )
        self._rejected_since: float | None = None

    async def reconcile(self) -> Outcome:
        """Perform the steps that are possible now.

        Raises:
            WaitingError: A precondition is not met yet.
            RefusedError: The new password is invalid.
        """
        source = await self._secrets.get(self._database.source)
        state = await self._secrets.read(self._state_secret)
        published = await self._published.get(source, state)
        if published is None:
            data = self._valid_data(source)
            first = as_user(data, self._database.user)
            published = await self._published.publish(first, is_first=True)
        user, password = published.data[USER], published.data[PASSWORD]
        if source is not None and source.data.get(PASSWORD, "") not in {"", password}:
            await self._replace_consumers(published)
            await self._switch(self._database.other(user), source.data)
            return Outcome.PUBLISHED
        is_completed = await self._complete(user, published, is_rotating=ROTATING in state)
        data = as_user(self._valid_data(source), user)
        if data != dict(published.data):
            await self._published.publish(data)
            return Outcome.PUBLISHED
        return Outcome.COMPLETED if is_completed else Outcome.AT_REST

    def _valid_data(self, source: Secret | None) -> Mapping[str, str]:
        data = source_data(source, self._database.source)
        if not data.get(PASSWORD):
            raise RefusedError(
                f"the Secret {self._database.source} has no value for {PASSWORD}: set it in Vault"
            )
        return data

    async def _complete(self, user: str, published: Secret, *, is_rotating: bool) -> bool:
        """Set the published password for both roles; for the other role once it is unused.

        Returns:
            Whether a rotation is now complete.
        """
        password, other = published.data[PASSWORD], self._database.other(user)
        await self._set_password(user, password)
        await self._replace_consumers(published)
        await self._set_password(other, password)
        await self._verify_login(user, password)
        if not is_rotating:
            return False
        await self._verify_login(other, password)
        await self._secrets.set(self._state_secret, {ROTATING: None})
        return True

    async def _replace_consumers(self, published: Secret) -> None:
        if published.published_at is not None:
            await self._consumers.replace(published.published_at)

    async def _switch(self, user: str, data: Mapping[str, str]) -> None:
        """Publish the new password with the unused role, once it can log in."""
        await self._set_password(user, data[PASSWORD])
        await self._log_in(user, data[PASSWORD])
        await self._secrets.set(self._state_secret, {ROTATING: "true"})
        await self._published.publish(as_user(data, user))
        log.info("PostgreSQL: the role %s and its new password are published", user)

    async def _verify_login(self, user: str, password: str) -> None:
        """Verify the login; if it is rejected for a while, trigger PGO to set the password again.

        A failover or a restore can revert PostgreSQL to an earlier password.
        """
        try:
            await self._log_in(user, password)
        except LoginRejectedError:
            now = time.monotonic()
            if self._rejected_since is None:
                self._rejected_since = now
            elif now - self._rejected_since >= REPAIR_AFTER_S:
                self._rejected_since = now
                await self._secrets.set(self._database.user_secret(user), {"verifier": ""})
            raise
        self._rejected_since = None

    async def _set_password(self, user: str, password: str) -> None:
        name = self._database.user_secret(user)
        secret = await self._secrets.get(name)
        if secret is None:
            raise WaitingError(f"the Secret {name}, which PGO creates, does not exist yet")
        if secret.data.get("password") != password:
            await self._secrets.set(name, {"password": password, "verifier": ""})

    async def _log_in(self, user: str, password: str) -> None:
        """Log in through the pool like the pods, and check that the session runs as the first role.

        Raises:
            WaitingError: PostgreSQL rejects the password, or the role is not a member.
        """
        try:
            connection = await psycopg.AsyncConnection.connect(
                host=self._database.host,
                port=self._database.port,
                dbname=self._database.name,
                user=user,
                password=password,
                sslmode="require",
                gssencmode="disable",
                connect_timeout=LOGIN_LIMIT_S,
            )
            async with connection:
                cursor = await connection.execute("SELECT current_user")
                row = await cursor.fetchone()
        except psycopg.Error as error:
            reason = (str(error).splitlines() or [type(error).__name__])[0]
            kind = LoginRejectedError if REJECTED in str(error) else WaitingError
            raise kind(f"PostgreSQL does not let {user} log in with it yet: {reason}") from error
        if row is None or row[0] != self._database.user:
            raise WaitingError(
                f"the role {user} does not act as {self._database.user}; as a superuser run: "
                f'GRANT "{self._database.user}" TO "{user}"; '
                f'ALTER ROLE "{user}" SET role TO "{self._database.user}"'
            )


def as_user(data: Mapping[str, str], user: str) -> dict[str, str]:
    """Credentials of this login role, in `DB_USER` and in the address in `DB_URL`."""
    result = {**data, USER: user}
    scheme, separator, rest = data.get(URL, "").partition("://")
    credentials, at, address = rest.partition("@")
    if separator and at:
        _, colon, password = credentials.partition(":")
        result[URL] = f"{scheme}://{quote(user, safe='')}{colon}{password}@{address}"
    return result
