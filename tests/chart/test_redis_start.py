"""How Redis starts: a master waits for its successor, and others follow the master at once."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from support.chart.rendering import render

ADDRESS, OTHER = "10.0.0.7", "10.0.0.71"
ALONE = "starts /redis/redis.conf"
FOLLOWING = f"{ALONE} --replicaof {OTHER} 6379"


def command(replicas: int) -> list[str]:
    """The command of Redis in a rendering; empty if it is that of the operator."""
    redis = render({"spotahomeRedis": {"redis": {"replicas": replicas}}})["RedisFailover/vrooli-rf"]
    return [str(word) for word in redis.body["spec"]["redis"].get("command", ())]


def start(folder: Path, masters: Sequence[str], role: str = "master") -> list[str]:
    """What a start does.

    Args:
        folder: Where its programs are.
        masters: The masters that Sentinel names one after the other, then the last.
        role: The role of the other Redis.
    """
    (folder / "masters").write_text("".join(f"{master}\n" for master in masters))
    programs = {
        "redis-cli": f'[ "$3" != role ] || {{ [ "$2 $REDISCLI_AUTH" = "{OTHER} secret" ] && '
        f'echo "{role}"; exit; }}; '
        "master=$(head -n 1 masters); [ $(wc -l <masters) = 1 ] || sed -i 1d masters; "
        '[ "$master" != timeout ] || exit 124; echo "$master"; echo 6379',
        "hostname": f"echo '{ADDRESS} '",
        "sleep": 'echo "sleeps $1" >>log',
        "redis-server": 'echo "starts $*" >>log',
    }
    for name, text in programs.items():
        (folder / name).write_text(f"#!/bin/sh\n{text}\n")
        (folder / name).chmod(0o755)
    environment = {"PATH": f"{folder}:/usr/bin:/bin", "REDIS_PASSWORD": "secret"}
    subprocess.run(command(3), check=True, cwd=folder, env=environment, timeout=60)
    return (folder / "log").read_text().splitlines()


def test_a_single_redis_starts_as_the_operator_starts_it() -> None:
    assert command(1) == []


@pytest.mark.parametrize(
    ("masters", "waits", "started"),
    [
        ([OTHER], 0, FOLLOWING),
        ([""], 0, ALONE),
        (["127.0.0.1"], 0, ALONE),
        (["ERR unknown command"], 0, ALONE),
        (["timeout", "timeout", OTHER], 0, FOLLOWING),
        (["timeout", "timeout", "timeout", OTHER], 0, ALONE),
        ([ADDRESS, ADDRESS, OTHER], 2, FOLLOWING),
        ([ADDRESS], 20, ALONE),
    ],
    ids=[
        "replica",
        "no sentinel",
        "first start",
        "error",
        "not reached yet",
        "not reached",
        "successor",
        "no successor",
    ],
)
def test_a_master_waits_for_its_successor_and_others_follow_the_master(
    tmp_path: Path, masters: list[str], waits: int, started: str
) -> None:
    assert start(tmp_path, masters) == [*["sleeps 1"] * waits, started]


def test_without_an_answer_of_sentinel_it_starts_at_once(tmp_path: Path) -> None:
    assert start(tmp_path, ["", ADDRESS]) == [ALONE]


@pytest.mark.parametrize("role", ["", "slave", "NOAUTH Authentication required."])
def test_only_a_master_is_followed(tmp_path: Path, role: str) -> None:
    """If all were lost, the operator chooses a master only among Redis without one."""
    assert start(tmp_path, [OTHER], role) == [ALONE]
