"""How Redis starts: with which data, alone, as a successor's replica, or beside a master."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from support.chart.rendering import render

ADDRESS, OTHER = "10.0.0.7", "10.0.0.71"
# As the operator writes it.
CONFIG = r"""slaveof 127.0.0.1 6379
port 6379
requirepass "a$b`c\"
"""
ALONE = "starts /redis/redis.conf"
FOLLOWING = f"{ALONE} --replicaof {OTHER} 6379"


def command(settings: Mapping[str, object]) -> list[str]:
    """The command of Redis with these values of it."""
    redis = render({"spotahomeRedis": {"redis": settings}})["RedisFailover/vrooli-rf"]
    return [str(word) for word in redis.body["spec"]["redis"]["command"]]


def start(
    folder: Path,
    masters: Sequence[str] = ("",),
    role: str = "master",
    **settings: object,
) -> list[str]:
    """What a start does.

    Args:
        folder: Where its programs are, and its data.
        masters: The masters that Sentinel names one after the other, then the last.
        role: The role of the other Redis.
        settings: Values of Redis; by default, three pods.
    """
    (folder / "redis.conf").write_text(CONFIG)
    (folder / "masters").write_text("".join(f"{master}\n" for master in masters))
    programs = {
        "redis-cli": f'[ "$3" != role ] || {{ [ "$2 $REDISCLI_AUTH" = "{OTHER} secret" ] && '
        f'echo "{role}"; exit; }}; '
        "master=$(head -n 1 masters); [ $(wc -l <masters) = 1 ] || sed -i 1d masters; "
        '[ "$master" != timeout ] || exit 124; echo "$master"; echo 6379',
        "hostname": f"echo '{ADDRESS} '",
        "sleep": 'echo "sleeps $1" >>log',
        "redis-server": 'echo "starts $*" >>log; [ "$1" != - ] || cat >>log',
    }
    for name, text in programs.items():
        (folder / name).write_text(f"#!/bin/sh\n{text}\n")
        (folder / name).chmod(0o755)
    environment = {"PATH": f"{folder}:/usr/bin:/bin", "REDIS_PASSWORD": "secret"}
    script = command({"replicas": 3} | settings)
    line = [word.replace(" /redis/redis.conf", f" {folder}/redis.conf") for word in script]
    subprocess.run(line, check=True, cwd=folder, env=environment, timeout=60)
    return (folder / "log").read_text().replace(f"{folder}", "/redis").splitlines()


def test_a_single_redis_is_the_master(tmp_path: Path) -> None:
    """It does not wait for its operator, which would make it the master."""
    settings = ["port 6379", r'requirepass "a$b`c\"']
    assert start(tmp_path, replicas=1) == ["starts -", *settings]
    (tmp_path / "log").unlink()
    (tmp_path / "appendonlydir").mkdir()
    assert start(tmp_path, replicas=1) == ["starts - --appendonly yes", *settings]


@pytest.mark.parametrize("log", ["appendonlydir", "appendonly.aof"])
def test_a_log_of_writes_is_read_at_the_start(tmp_path: Path, log: str) -> None:
    """The operator would turn it on after Redis has loaded an older dump."""
    (tmp_path / log).mkdir()
    assert start(tmp_path, [OTHER]) == [f"{ALONE} --appendonly yes --replicaof {OTHER} 6379"]


@pytest.mark.parametrize(
    "lines", [[], ["appendonly no"], ["appendonly yes", "AppendOnly no"], ["appendonlyx yes"]]
)
def test_a_log_that_is_not_continued_is_never_read(tmp_path: Path, lines: list[str]) -> None:
    """It would bring old data back when the values want a log again."""
    for content in ("first", "second"):
        (tmp_path / "appendonlydir").mkdir()
        (tmp_path / "appendonlydir" / "log").write_text(content)
        assert start(tmp_path, customConfig=lines)[-1] == ALONE
        assert not (tmp_path / "appendonlydir").exists()
    assert (tmp_path / "appendonlydir.unused" / "log").read_text() == "second"


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
