"""A Redis client that discovers the master through Sentinel, also after a failover."""

from __future__ import annotations

from typing import Any

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.asyncio.sentinel import Sentinel
from redis.backoff import ExponentialBackoff
from redis.exceptions import AuthenticationError, ReadOnlyError, RedisError
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError

from vrooli_shared.settings import Settings

# Timeout of blocking commands, seconds; an idle worker takes as long to stop. Must be below the
# socket timeout.
BLOCK_S = 2.0
RESPONSE_TIMEOUT_S = 4.0
CONNECT_TIMEOUT_S = 2.0
# Timeout of operations that can proceed without Redis, seconds.
OPTIONAL_TIMEOUT_S = 3.0
# Errors that resolve within seconds: a failover, and a password rotation, during which a Redis may
# reject a new connection.
TRANSIENT_ERRORS = (RedisConnectionError, RedisTimeoutError, ReadOnlyError, AuthenticationError)
# Redis is unavailable or responds too late.
UNAVAILABLE_ERRORS = (RedisError, OSError, TimeoutError)


def connect(settings: Settings) -> Redis:
    """A client of the current master, which connects at the first command.

    Commands are retried for about 3 s after a connection error. Callers that can wait longer
    (worker, live feed) retry in a loop; others use ``OPTIONAL_TIMEOUT_S``.
    """
    options: dict[str, Any] = {
        "password": settings.redis_password.get_secret_value() or None,
        "socket_timeout": RESPONSE_TIMEOUT_S,
        "socket_connect_timeout": CONNECT_TIMEOUT_S,
        "socket_keepalive": True,
        "health_check_interval": 10,
        "retry": Retry(ExponentialBackoff(cap=1.0, base=0.1), retries=5),
        "retry_on_error": [*TRANSIENT_ERRORS],
    }
    if settings.redis_url is not None:
        if not settings.redis_password.get_secret_value():
            del options["password"]  # the URL may contain one
        return Redis.from_url(settings.redis_url.get_secret_value(), **options)
    # The operator's Sentinels have no password, only the servers do.
    timeouts = {"socket_timeout": CONNECT_TIMEOUT_S, "socket_connect_timeout": CONNECT_TIMEOUT_S}
    sentinel = Sentinel(  # type: ignore[no-untyped-call]
        settings.sentinels(), sentinel_kwargs=timeouts, **options
    )
    master: Redis = sentinel.master_for(settings.redis_master_name)
    return master
