"""Redis: a client that finds the master through Sentinel, also after a failover."""

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

# The longest that a blocking command waits for something to do: so long does an idle worker take
# to end. The socket's limit lies above it.
BLOCK_S = 2.0
ANSWER_S = 4.0
CONNECT_S = 2.0
# How long something waits for Redis that can also do without it.
PATIENCE_S = 3.0
# What passes within seconds: a failover, and a password that changes (a new connection may meet a
# Redis that doesn't take it yet, or no longer).
PASSING = (RedisConnectionError, RedisTimeoutError, ReadOnlyError, AuthenticationError)
# Redis is away, or answers too late.
AWAY = (RedisError, OSError, TimeoutError)


def connect(settings: Settings) -> Redis:
    """A client of the present master; connects at the first command.

    A command whose connection broke, or was refused, is tried again for about 3 s; whoever can wait
    longer (worker, live feed) has a loop of its own around it, whoever can't has ``PATIENCE_S``.
    """
    options: dict[str, Any] = {
        "password": settings.redis_password.get_secret_value() or None,
        "socket_timeout": ANSWER_S,
        "socket_connect_timeout": CONNECT_S,
        "socket_keepalive": True,
        "health_check_interval": 10,
        "retry": Retry(ExponentialBackoff(cap=1.0, base=0.1), retries=5),
        "retry_on_error": [*PASSING],
    }
    if settings.redis_url is not None:
        if not settings.redis_password.get_secret_value():
            del options["password"]  # the URL may hold one
        return Redis.from_url(settings.redis_url.get_secret_value(), **options)
    # The Sentinels of the operator take no password, only the servers behind them do.
    quick = {"socket_timeout": CONNECT_S, "socket_connect_timeout": CONNECT_S}
    sentinel = Sentinel(  # type: ignore[no-untyped-call]
        settings.sentinels(), sentinel_kwargs=quick, **options
    )
    master: Redis = sentinel.master_for(settings.redis_master_name)
    return master
