"""The rule redis-wrong-password."""

from __future__ import annotations

import os
import shlex
import subprocess
from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from support.diagnosis.evidence import NOW, diagnosed, evidence, operators, pod, pod_of
from support.diagnosis.healthy_release import REDIS, RF, with_answer
from support.diagnosis.rule_cases import Cases, assert_reported
from vrooli.diagnosis.evidence.model import Answer, LogSource
from vrooli.diagnosis.interface import Cause
from vrooli.diagnosis.remedies import redis_passwords
from vrooli.diagnosis.rules.redis import wrong_password
from vrooli.kube.objects import Ref
from vrooli.operators.redis.names import FAILOVER_LABEL

CASES: Cases = {
    "a refused password": (
        str(RF),
        with_answer(
            "redis-info",
            REDIS,
            "AUTH failed: WRONGPASS invalid username-password pair or user is disabled.\nNOAUTH",
        ),
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_a_symptom_names_its_resource_and_remediation(case: str) -> None:
    assert_reported(wrong_password.RULE, *CASES[case])


SERVER = "vrooli-dev-server"
CLIENT = f"{SERVER}-5d9c7b-abcde"
REFUSED = "AUTH failed: WRONGPASS invalid username-password pair or user is disabled."
FAILOVER = {
    "kind": "RedisFailover",
    "metadata": {"name": "vrooli-rf", "namespace": "dev"},
    "spec": {
        "auth": {"secretPath": "vrooli-redis-creds"},
        "redis": {"replicas": 3},
        "sentinel": {"replicas": 3},
    },
}
ROTATES = [
    {"name": "REDIS_SOURCE", "value": "vrooli-redis-creds-vault"},
    {"name": "REDIS_SECRET", "value": "vrooli-redis-creds"},
]


def since(body: dict[str, Any], minutes: int) -> dict[str, Any]:
    """A pod whose container runs for so long, and that is as old."""
    began = (NOW - timedelta(minutes=minutes)).isoformat()
    body["metadata"]["creationTimestamp"] = began
    body["status"]["containerStatuses"][0]["state"] = {"running": {"startedAt": began}}
    return body


def redis(number: int, minutes: int = 30) -> dict[str, Any]:
    labels = {FAILOVER_LABEL: "vrooli-rf", "app.kubernetes.io/component": "redis"}
    owner = ("StatefulSet", "rfr-vrooli-rf")
    return since(
        pod(f"rfr-vrooli-rf-{number}", owner=owner, labels=labels, container="redis"), minutes
    )


def told(
    *client: dict[str, Any],
    says: Iterable[str] = ("role:master", "role:slave", "role:slave"),
    by: LogSource | None = None,
) -> Cause:
    """The only cause, where a client says that its password is refused."""
    when = (NOW - timedelta(seconds=5)).isoformat()
    source = by or LogSource("dev", CLIENT, "server")
    answers = [
        Answer("redis-info", Ref("Pod", f"rfr-vrooli-rf-{number}", "dev"), said)
        for number, said in enumerate(says)
    ]
    seen = evidence(
        FAILOVER,
        *map(redis, range(3)),
        {"kind": "Secret", "metadata": {"name": "vrooli-redis-creds", "namespace": "dev"}},
        *client,
        *operators(),
        answers=answers,
        logs={source: [f"{when} vrooli-rf: WRONGPASS invalid username-password pair"]},
    )
    (cause,) = diagnosed(seen).causes
    assert cause.finding.rule_id == "redis-wrong-password"
    return cause


def test_a_client_from_before_redis_is_the_one_to_start_anew() -> None:
    cause = told(since(pod_of(SERVER, container="server"), 60))
    assert cause.resource == Ref("Deployment", SERVER, "dev")
    assert cause.finding.command == f"kubectl rollout restart deployment/{SERVER} -n dev"
    assert "every Redis accepts" in cause.finding.message


def test_a_client_that_nothing_more_is_known_of_is_the_one_as_well() -> None:
    cause = told()
    assert cause.resource == Ref("Pod", CLIENT, "dev")
    assert cause.finding.command == f"kubectl delete pod {CLIENT} -n dev"


@pytest.mark.parametrize("by", [None, LogSource("redis-operator", "operator-x", "operator")])
def test_whoever_read_the_secret_after_redis_did_has_the_newer_password(
    by: LogSource | None,
) -> None:
    client = since(pod_of(SERVER, container="server"), 5)
    cause = told(client, by=by)
    assert cause.resource == Ref("RedisFailover", "vrooli-rf", "dev")


def test_a_client_reads_the_secret_each_time_that_it_is_started_again() -> None:
    client = since(pod_of(SERVER, container="server"), 60)
    status = client["status"]["containerStatuses"][0]
    ended = {"exitCode": 1, "startedAt": (NOW - timedelta(minutes=1)).isoformat()}
    status |= {"state": {"waiting": {}}, "lastState": {"terminated": ended}}
    assert told(client).resource == Ref("RedisFailover", "vrooli-rf", "dev")


def test_a_redis_older_than_its_secret_takes_both_passwords_before_any_is_started_anew() -> None:
    cause = told(since(pod_of(SERVER, container="server"), 5))
    assert not cause.finding.command.startswith("kubectl delete")
    assert "Do not restart Redis yet" in cause.finding.remediation
    assert "rfr-vrooli-rf-1, rfr-vrooli-rf-2, rfr-vrooli-rf-0" in cause.finding.remediation


def test_where_the_rotator_publishes_the_secret_it_is_the_one_to_ask() -> None:
    rotator = {
        "kind": "Deployment",
        "metadata": {
            "name": "vrooli-dev-rotator",
            "namespace": "dev",
            "labels": {"app.kubernetes.io/component": "rotator"},
        },
        "spec": {"template": {"spec": {"containers": [{"env": ROTATES}]}}},
        "status": {"availableReplicas": 1},
    }
    cause = told(since(pod_of(SERVER, container="server"), 5), rotator)
    assert cause.finding.command == "kubectl describe deployment/vrooli-dev-rotator -n dev"
    assert "Do not restart Redis during the rotation" in cause.finding.remediation


def test_a_redis_that_was_given_another_password_is_started_anew() -> None:
    client = since(pod_of(SERVER, container="server"), 60)
    cause = told(client, says=("role:master", REFUSED, "role:slave"))
    assert cause.resource == Ref("RedisFailover", "vrooli-rf", "dev")
    assert cause.finding.command == "kubectl delete pod rfr-vrooli-rf-1 -n dev"


def test_several_that_were_all_given_another_password_are_not_started_anew() -> None:
    """One alone could not follow the others' master: it waits for ever, and the writes go."""
    client = since(pod_of(SERVER, container="server"), 60)
    cause = told(client, says=(REFUSED, REFUSED, REFUSED))
    assert "delete" not in cause.finding.command
    words = shlex.split(cause.finding.command)
    assert words[:4] == ["kubectl", "exec", "-it", "rfr-vrooli-rf-0"]
    assert shlex.split(words[-1])[-3:] == ["SETUSER", "default", ">$REDIS_PASSWORD"]


# What stands for kubectl and redis-cli: the Secret's password comes out of one, and what is said
# to Redis goes with its pod into a file.
KUBECTL = """#!/bin/bash
if [ "$1 $2" = "get secret" ]; then printf %s "$3:$5:$7" > "$DIR/read"; printf %s "$NEW" | base64
else pod=$3; while [ "$1" != -- ]; do shift; done; shift; POD=$pod exec "$@"; fi
"""
REDIS_CLI = """#!/bin/bash
echo "$POD ${REDISCLI_AUTH:-nobody} $* <- $(cat)" >> "$DIR/said"
[ "$POD" != "$FAILS" ]
"""


def ran(folder: Path, command: str, **environment: str) -> tuple[int, list[str]]:
    """What a shell makes of the command: its exit code, and what each process was told."""
    for name, text in (("kubectl", KUBECTL), ("redis-cli", REDIS_CLI)):
        (folder / name).write_text(text)
        (folder / name).chmod(0o755)
    path = {"PATH": f"{folder}:{os.environ['PATH']}", "DIR": str(folder), "REDIS_PASSWORD": "old"}
    whole = {**path, "NEW": "a>%s", **environment}
    done = subprocess.run(["bash", "-c", command], check=False, env=whole)
    return done.returncode, (folder / "said").read_text().splitlines()


PODS = [Ref("Pod", f"rfr-{number}", "dev") for number in range(2)]
SENTINELS = [Ref("Pod", "rfs-0", "dev")]


def test_the_command_makes_all_take_the_new_password_before_one_uses_it(tmp_path: Path) -> None:
    command = redis_passwords.take_both(Ref("Secret", "creds", "dev"), PODS, SENTINELS)
    code, said = ran(tmp_path, command)
    assert code == 0
    assert said == [
        'rfr-0 old -e <- ACL SETUSER default ">a>%s"',
        'rfr-1 old -e <- ACL SETUSER default ">a>%s"',
        'rfr-0 old -e <- CONFIG SET masterauth "a>%s"',
        'rfr-1 old -e <- CONFIG SET masterauth "a>%s"',
        'rfs-0 nobody -e -p 26379 <- SENTINEL SET mymaster auth-pass "a>%s"',
    ]
    assert (tmp_path / "read").read_text() == "creds:dev:jsonpath={.data.password}"


def test_the_command_ends_at_the_first_that_does_not_take_it(tmp_path: Path) -> None:
    command = redis_passwords.take_both(Ref("Secret", "creds", "dev"), PODS, SENTINELS)
    code, said = ran(tmp_path, command, FAILS="rfr-1")
    assert code != 0
    assert [line.partition(" ")[0] for line in said] == ["rfr-0", "rfr-1"]
