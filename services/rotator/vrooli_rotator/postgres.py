"""PostgreSQL: two login roles take turns, so that both passwords work while pods are replaced.

PGO sets each role's password from a Secret of its own: the key ``password``, with an empty
``verifier``, which PGO then computes. The second role is a member of the first and acts as it.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass

import psycopg

from vrooli_rotator.consumers import Consumers
from vrooli_rotator.errors import RefusedError, WaitingError
from vrooli_rotator.secrets import Secret, Secrets

log = logging.getLogger(__name__)

USER, PASSWORD = "DB_USER", "DB_PASSWORD"
ALTERNATE = "-alternate"
# One login through the pool, seconds.
LOGIN_LIMIT_S = 5


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

    def __init__(self, database: Database, secrets: Secrets, consumers: Consumers) -> None:
        self._database = database
        self._secrets = secrets
        self._consumers = consumers

    async def reconcile(self) -> bool:
        """Do what can be done now.

        Returns:
            Whether a new password was published; the first one is nobody's change.

        Raises:
            WaitingError: Something must happen first.
            RefusedError: The new password can't be used.
        """
        source = await self._source()
        published = await self._secrets.get(self._database.published)
        if published is None:
            data = {**source.data, USER: self._database.user}
            published = await self._secrets.publish(self._database.published, data)
        user = published.data.get(USER, self._database.user)
        if published.data.get(PASSWORD) == source.data[PASSWORD]:
            await self._copy_other_keys(source, published)
            await self._complete(user, published)
            return False
        await self._replace_consumers(published)
        await self._switch(self._database.other(user), source.data)
        return True

    async def _source(self) -> Secret:
        source = await self._secrets.get(self._database.source)
        if source is None:
            raise WaitingError(
                f"the Secret {self._database.source}, which the Vault Secrets Operator makes, "
                "does not exist yet"
            )
        if not source.data.get(PASSWORD):
            raise RefusedError(
                f"the Secret {self._database.source} has no value for {PASSWORD}: set it in Vault"
            )
        return source

    async def _complete(self, user: str, published: Secret) -> None:
        """Give both roles the published password: the other one once nobody uses its old one."""
        password = published.data[PASSWORD]
        await self._set_password(user, password)
        await self._replace_consumers(published)
        await self._set_password(self._database.other(user), password)

    async def _replace_consumers(self, published: Secret) -> None:
        if published.published_at is not None:
            await self._consumers.replace(published.published_at)

    async def _switch(self, user: str, data: Mapping[str, str]) -> None:
        """Publish the new password with the role that is not in use, once it can log in."""
        await self._set_password(user, data[PASSWORD])
        await self._log_in(user, data[PASSWORD])
        await self._secrets.publish(self._database.published, {**data, USER: user})
        log.info("PostgreSQL: the role %s and its new password are published", user)

    async def _set_password(self, user: str, password: str) -> None:
        name = self._database.user_secret(user)
        secret = await self._secrets.get(name)
        if secret is None:
            raise WaitingError(f"the Secret {name}, which PGO makes, does not exist yet")
        if secret.data.get("password") != password:
            await self._secrets.set(name, {"password": password, "verifier": ""})

    async def _copy_other_keys(self, source: Secret, published: Secret) -> None:
        """Publish what changed beside the password, such as the database's name."""
        own = {USER: published.data.get(USER, self._database.user)}
        if {**source.data, **own} != dict(published.data):
            await self._secrets.publish(self._database.published, {**source.data, **own})

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
            raise WaitingError(
                f"PostgreSQL does not take the new password of {user} yet: {reason}"
            ) from error
        if row is None or row[0] != self._database.user:
            raise WaitingError(
                f"the role {user} does not act as {self._database.user}; as a superuser run: "
                f'GRANT "{self._database.user}" TO "{user}"; '
                f'ALTER ROLE "{user}" SET role TO "{self._database.user}"'
            )
