"""The databases of a fake release: their resources, pods, and the programs that run in them."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from vrooli.kube.execution import Completed, Program
from vrooli.operators.pgo import names as pgo
from vrooli.operators.redis import names as redis

Body = dict[str, Any]
# What a database does with its input: SQL, or the words of a Redis command.
Sql = Callable[[str], Completed]
Command = Callable[[Sequence[str]], Completed]
_WORD = re.compile(r'"((?:[^"\\]|\\x[0-9a-f]{2})*)"')


def owned(kind: str, name: str, release: str, **spec: Any) -> Body:
    """A resource that Helm has made for a release."""
    annotations = {"meta.helm.sh/release-name": release}
    return {"kind": kind, "metadata": {"name": name, "annotations": annotations}, "spec": spec}


def pod(name: str, labels: dict[str, str], *, is_ready: bool = True, address: str = "") -> Body:
    """A running pod."""
    ready = {"type": "Ready", "status": "True" if is_ready else "False"}
    return {
        "kind": "Pod",
        "metadata": {"name": name, "uid": f"uid-{name}", "labels": labels},
        "status": {"phase": "Running", "podIP": address, "conditions": [ready]},
    }


def postgres_pod(name: str, role: str, *, is_ready: bool = True) -> Body:
    """An instance with a role of Patroni's."""
    labels = {
        pgo.CLUSTER_LABEL: "vrooli-pg",
        pgo.DATA_LABEL: "postgres",
        pgo.INSTANCE_SET_LABEL: "instance1",
        pgo.ROLE_LABEL: role,
    }
    return pod(name, labels, is_ready=is_ready)


def redis_pod(name: str, component: str, address: str, *, is_ready: bool = True) -> Body:
    """A pod of Redis or Sentinel."""
    labels = {redis.FAILOVER_LABEL: "vrooli-rf", redis.COMPONENT_LABEL: component}
    return pod(name, labels, is_ready=is_ready, address=address)


def psql(sql: Sql) -> Callable[[Program], Completed]:
    """Runs psql only; its input is complete, and nothing of it is in its arguments."""

    def run(program: Program) -> Completed:
        script, size = program.argv[2], int(program.argv[4])
        if " psql " not in script:
            pytest.fail(f"not expected: {script}")
        assert size == len(program.stdin)
        return sql(program.stdin.decode())

    return run


def redis_cli(command: Command) -> Callable[[Program], Completed]:
    """Runs redis-cli only, with one command in its input."""

    def run(program: Program) -> Completed:
        script = program.argv[2]
        if "redis-cli " not in script:
            pytest.fail(f"not expected: {script}")
        line = program.stdin.decode()
        assert line.endswith("\n")
        words = [
            re.sub(rb"\\x(..)", lambda match: bytes.fromhex(match[1].decode()), word.encode())
            for word in _WORD.findall(line)
        ]
        return command([word.decode() for word in words])

    return run


def output(text: str) -> Completed:
    """A program that succeeded."""
    return Completed(0, text, "")
