"""The commands that add a password to running Redis without losing writes. No I/O here.

A Redis that restarts with a new password cannot replicate from a master with the old one, and
the writes of that master would be lost. So all accept both passwords first (``ACL SETUSER``),
then use the new one for their own connections (``masterauth``, Sentinel's ``auth-pass``).
Passwords are passed on standard input and are never part of a command line.
"""

from __future__ import annotations

from collections.abc import Sequence

from vrooli import shell
from vrooli.kube.objects import Ref

MASTER = "mymaster"
KEY = "password"
# The input of redis-cli; printf replaces %s with the password.
ACCEPT = r'ACL SETUSER default ">%s"\n'
FOLLOW = r'CONFIG SET masterauth "%s"\n'
# A client with the pod's start-up password; it exits on an error.
OWN = 'REDISCLI_AUTH="$REDIS_PASSWORD" redis-cli -e'
WATCH = rf'SENTINEL SET {MASTER} auth-pass "%s"\n'


def take_both(secret: Ref, redis: Sequence[Ref], sentinels: Sequence[Ref]) -> str:
    """One command line that makes every Redis and Sentinel accept the password of a Secret too.

    Args:
        secret: The Secret with the new password.
        redis: The pods of Redis, which still accept their start-up password.
        sentinels: The pods of Sentinel.
    """
    steps = [
        _loop(secret, redis, "redis", ACCEPT, OWN),
        _loop(secret, redis, "redis", FOLLOW, OWN),
        _loop(secret, sentinels, "sentinel", WATCH, "redis-cli -e -p 26379"),
    ]
    return " && ".join(step for step in steps if step)


def _loop(secret: Ref, pods: Sequence[Ref], container: str, words: str, client: str) -> str:
    if not pods:
        return ""
    names = " ".join(shell.name(pod.name) for pod in pods)
    read = (
        f"kubectl get secret {shell.name(secret.name)} -n {shell.label(secret.namespace)} "
        f"-o 'jsonpath={{.data.{KEY}}}' | base64 -d"
    )
    inner = f"IFS= read -r new; printf '\"'\"'{words}'\"'\"' \"$new\" | {client}"
    run = (
        f'kubectl exec -i "$pod" -n {shell.label(secret.namespace)} -c '
        f"{shell.label(container)} -- sh -c '{inner}'"
    )
    return f"(for pod in {names}; do {read} | {run} || exit 1; done)"
