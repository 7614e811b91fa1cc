"""PostgreSQL: two login roles take turns, so that both passwords work while pods are replaced.

PGO sets each role's password from a Secret of its own: the key ``password``, with an empty
``verifier``, which PGO then computes. The second role is a member of the first and acts as it.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass

import psycopg

from vrooli_rotator.consumers import Consumers
from vrooli_rotator.errors import LoginRejectedError, RefusedError, WaitingError
from vrooli_rotator.outcome import Outcome
from vrooli_rotator.published import Published
from vrooli_rotator.secrets import Secret, Secrets, source_data

log = logging.getLogger(__name__)

USER, PASSWORD = "DB_USER", "DB_PASSWORD"
ALTERNATE = "-alternate"
# The key of this program's own Secret that is there until a rotation is complete.
ROTATING = "postgres.rotating"
# One login through the pool, seconds.
LOGIN_LIMIT_S = 5
# PGO takes seconds to set a password: it is asked again only after so long, seconds.
REPAIR_AFTER_S = 60.0
# What PostgreSQL and pgBouncer say of a wrong password.
REJECTED = "authentication failed"


@dataclass(frozen=True)
class Database:
    """Where PostgreSQL is reached, and what its Secrets are called."""

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
        """The Secret that PGO keeps for a role."""
        return f"{self.cluster}-pguser-{user}"

    def other(self, user: str) -> str:
        """The login role that is not ``user``."""
        first, second = self.users
        return first if user == second else second


class PostgresRotation:
    """Brings the password of the source Secret into PostgreSQL and the published Secret."""

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
        """Do what can be done now.

        Raises:
            WaitingError: Something must happen first.
            RefusedError: The new password can't be used.
        """
        source = await self._secrets.get(self._database.source)
        published = await self._published.get(source)
        if published is None:
            data = self._checked(source)
            first = {**data, USER: self._database.user}
            published = await self._published.publish(first, is_first=True)
        user, password = published.data[USER], published.data[PASSWORD]
        if source is not None and source.data.get(PASSWORD, "") not in {"", password}:
            await self._replace_consumers(published)
            await self._switch(self._database.other(user), source.data)
            return Outcome.PUBLISHED
        is_completed = await self._complete(user, published)
        data = {**self._checked(source), USER: user}
        if data != dict(published.data):
            await self._published.publish(data)
            return Outcome.PUBLISHED
        return Outcome.COMPLETED if is_completed else Outcome.AT_REST

    def _checked(self, source: Secret | None) -> Mapping[str, str]:
        data = source_data(source, self._database.source)
        if not data.get(PASSWORD):
            raise RefusedError(
                f"the Secret {self._database.source} has no value for {PASSWORD}: set it in Vault"
            )
        return data

    async def _complete(self, user: str, published: Secret) -> bool:
        """Give both roles the published password: the other one once nobody uses its old one.

        Returns:
            Whether that ends a rotation.
        """
        password, other = published.data[PASSWORD], self._database.other(user)
        await self._set_password(user, password)
        await self._replace_consumers(published)
        await self._set_password(other, password)
        await self._prove(user, password)
        state = await self._secrets.get(self._state_secret)
        if state is None or ROTATING not in state.data:
            return False
        await self._prove(other, password)
        await self._secrets.set(self._state_secret, {ROTATING: None})
        return True

    async def _replace_consumers(self, published: Secret) -> None:
        if published.published_at is not None:
            await self._consumers.replace(published.published_at)

    async def _switch(self, user: str, data: Mapping[str, str]) -> None:
        """Publish the new password with the role that is not in use, once it can log in."""
        await self._set_password(user, data[PASSWORD])
        await self._log_in(user, data[PASSWORD])
        await self._secrets.set(self._state_secret, {ROTATING: "true"})
        await self._published.publish({**data, USER: user})
        log.info("PostgreSQL: the role %s and its new password are published", user)

    async def _prove(self, user: str, password: str) -> None:
        """Log in; where PostgreSQL goes on to refuse what PGO's Secret says, have PGO set it again.

        A failover or a restore may have taken PostgreSQL back to a password from before.
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
            raise WaitingError(f"the Secret {name}, which PGO makes, does not exist yet")
        if secret.data.get("password") != password:
            await self._secrets.set(name, {"password": password, "verifier": ""})

    async def _log_in(self, user: str, password: str) -> None:
        """Log in through the pool as pods do, and act as the first role.

        Raises:
            WaitingError: PostgreSQL doesn't take the password yet, or the role is no member.
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
