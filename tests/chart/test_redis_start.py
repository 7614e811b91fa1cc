"""The start of Redis waits for the successor of a master whose process has ended."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from support.chart.rendering import render

ADDRESS, OTHER = "10.0.0.7", "10.0.0.71"
STARTED = "starts /redis/redis.conf"


def command(replicas: int) -> list[str]:
    """The command of Redis in a rendering; empty if it is that of the operator."""
    redis = render({"spotahomeRedis": {"redis": {"replicas": replicas}}})["RedisFailover/vrooli-rf"]
    return [str(word) for word in redis.body["spec"]["redis"].get("command", ())]


def start(folder: Path, masters: Sequence[str]) -> list[str]:
    """What a start does, where Sentinel names these masters one after the other, then the last."""
    (folder / "masters").write_text("".join(f"{master}\n" for master in masters))
    programs = {
        "redis-cli": "head -n 1 masters; [ $(wc -l <masters) = 1 ] || sed -i 1d masters; echo 6379",
        "hostname": f"echo '{ADDRESS} '",
        "sleep": 'echo "sleeps $1" >>log',
        "redis-server": 'echo "starts $*" >>log',
    }
    for name, text in programs.items():
        (folder / name).write_text(f"#!/bin/sh\n{text}\n")
        (folder / name).chmod(0o755)
    path = {"PATH": f"{folder}:/usr/bin:/bin"}
    subprocess.run(command(3), check=True, cwd=folder, env=path, timeout=60)
    return (folder / "log").read_text().splitlines()


def test_a_single_redis_starts_as_the_operator_starts_it() -> None:
    assert command(1) == []


@pytest.mark.parametrize(
    ("masters", "waits"),
    [
        ([OTHER], 0),
        ([""], 0),
        (["127.0.0.1"], 0),
        ([ADDRESS, ADDRESS, OTHER], 2),
        ([ADDRESS], 20),
    ],
    ids=["replica", "no sentinel", "first start", "successor", "no successor"],
)
def test_a_master_starts_when_it_has_a_successor(
    tmp_path: Path, masters: list[str], waits: int
) -> None:
    assert start(tmp_path, masters) == [*["sleeps 1"] * waits, STARTED]


def test_without_an_answer_it_starts_at_once(tmp_path: Path) -> None:
    assert start(tmp_path, ["", ADDRESS]) == [STARTED]
