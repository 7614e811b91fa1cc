"""`vrooli diagnose` as a whole process where things are as bad as they get."""

from __future__ import annotations

import asyncio
import gzip
import json
import os
import re
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from itertools import cycle, repeat
from pathlib import Path
from typing import Any

import pytest
import yaml

from support.cluster import kubelet
from support.diagnosis.evidence import DEV, pod_of
from support.failures import faulty_api, many_pods
from support.failures.faulty_api import Answer
from support.programs.certificates import self_signed
from support.programs.ports import free_port
from vrooli.kube import Kube

# Beside what the conditions themselves cost: the start of Python, and the parsing of thousands of
# objects, on a machine that does other work.
START_S = 60.0
# How many diagnoses that mostly wait for their limits run at once.
AT_ONCE = 4


@dataclass(frozen=True)
class Said:
    """What a run gave.

    Attributes:
        status: The exit code.
        last: The result or the error of its last line.
        text: All that was printed.
        elapsed_s: How long it took.
    """

    status: int
    last: dict[str, Any]
    text: str
    elapsed_s: float

    @property
    def unavailable(self) -> dict[str, str]:
        """What couldn't be seen, and why."""
        return {item["resource"]: item["reason"] for item in self.last["unavailable"]}

    @property
    def missing(self) -> dict[str, str]:
        """What is needed and couldn't be seen, and why."""
        return {item["resource"]: item["reason"] for item in self.last["missing"]}

    @property
    def found(self) -> set[tuple[str, str]]:
        """Each finding by its rule and object."""
        findings = [
            finding
            for cause in self.last["causes"]
            for finding in (cause["finding"], *cause["consequences"])
        ]
        return {(finding["rule_id"], finding["resource"]) for finding in findings}


def diagnose(kubeconfig: Path, *words: str, limit_s: float = 0.0) -> Said:
    """Run it; it has to end within the limit, and never with a trace."""
    began = time.monotonic()
    done = subprocess.run(
        [
            *(sys.executable, "-m", "vrooli", "diagnose", "--cluster", "context:bare"),
            *("--output", "json", *words),
        ],
        env={
            **os.environ,
            "KUBECONFIG": str(kubeconfig),
            "VROOLI_STATE_DIR": str(kubeconfig.parent / "state"),
        },
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
    )
    elapsed = time.monotonic() - began
    text = done.stdout + done.stderr
    assert "Traceback" not in text, text
    assert elapsed < limit_s + START_S
    last = json.loads(done.stdout.splitlines()[-1])
    return Said(done.returncode, last.get("result", last), text, elapsed)


# What a container may write, which need not be text.
LOG = b"\xff\xfe\x00 begins\n\x1b[31mred \xc3\x28 and \xf0\x9f\x98\n" + b"\x80" * 9000 + b"\n"


@pytest.fixture(scope="module")
def release(bare_kubeconfig: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The API server's kubeconfig once there is a release with pods in trouble."""
    with kubelet.running(tmp_path_factory.mktemp("kubelet"), repeat(LOG)) as port:
        asyncio.run(_fill(bare_kubeconfig, port))
        yield bare_kubeconfig


async def _fill(kubeconfig: Path, port: int) -> None:
    async with await Kube.connect(kubeconfig) as kube:
        await kubelet.join(kube, port)
        await many_pods.fill(kube, 50, 20)


IN_TROUBLE = {
    ("crash-loop", "Deployment/vrooli-dev-jobs"),
    ("image-pull", "Deployment/vrooli-dev-jobs"),
    ("unschedulable", "Deployment/vrooli-dev-jobs"),
}


def of_pods(found: set[tuple[str, str]]) -> set[tuple[str, str]]:
    """What is found of the jobs' pods."""
    return {item for item in found if item in IN_TROUBLE}


@contextmanager
def way(
    kubeconfig: Path, folder: Path, path: str, change: Callable[[Answer], Answer]
) -> Iterator[Path]:
    """A way on which the answers to some paths are others; a path's end tells which."""

    def changed(asked: str, answer: Answer) -> Answer:
        return change(answer) if asked.endswith(path) else answer

    with faulty_api.way(kubeconfig, folder, changed) as found:
        yield found


# Runs that have been started, by the case of a test.
Runs = Mapping[str, Future[Said]]


@contextmanager
def started(runs: Mapping[str, Callable[[Path], Said]], folder: Path) -> Iterator[Runs]:
    """Start runs beside the tests, each with a folder of its own; a test waits for its own run."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        yield {
            name: pool.submit(run, Path(tempfile.mkdtemp(dir=folder))) for name, run in runs.items()
        }


def never(answer: Answer) -> Answer:
    """No answer at all."""
    return replace(answer, wait_s=faulty_api.NEVER)


def test_an_api_server_that_takes_two_seconds_for_each_answer(
    release: Path, tmp_path: Path
) -> None:
    with way(release, tmp_path, "", lambda answer: replace(answer, wait_s=2.0)) as kubeconfig:
        said = diagnose(kubeconfig, limit_s=30)
    assert said.status == 1
    assert of_pods(said.found) == IN_TROUBLE
    assert said.unavailable == {}
    assert said.missing == {}


LISTS = re.compile(r"/apis?/([^/]+/)?v\w+/(namespaces/[^/]+/)?[a-z]+")


@pytest.mark.long
def test_an_api_server_that_takes_ten_to_twenty_seconds_for_each_list(
    release: Path, tmp_path: Path
) -> None:
    waits = cycle((10.0, 14.0, 20.0, 17.0, 12.0))

    def slow(path: str, answer: Answer) -> Answer:
        return replace(answer, wait_s=next(waits)) if LISTS.fullmatch(path) else answer

    with faulty_api.way(release, tmp_path, slow) as kubeconfig:
        said = diagnose(kubeconfig, limit_s=120)
    assert said.status == 1
    assert of_pods(said.found) == IN_TROUBLE
    assert said.missing == {}
    assert "waits for" in said.text


def test_a_needed_kind_that_is_never_answered_hides_nothing_else_and_is_missing(
    release: Path, tmp_path: Path
) -> None:
    with way(release, tmp_path, "/dev/services", never) as kubeconfig:
        said = diagnose(kubeconfig, "--timeout", "20", limit_s=20)
    assert said.status == 1
    assert of_pods(said.found) == IN_TROUBLE
    assert said.missing in _unanswered("Service in dev", 15)
    assert "--timeout" in said.last["missing"][0]["advice"]


@pytest.fixture(scope="module")
def healthy(bare_kubeconfig: Path) -> str:
    """A namespace with a release of which nothing is wrong: a Deployment without pods."""
    return asyncio.run(_make_healthy(bare_kubeconfig))


async def _make_healthy(kubeconfig: Path) -> str:
    namespace = "healthy"
    place = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}}
    noted = {"name": DEV.release, "version": 1, "info": {"status": "deployed"}, "manifest": ""}
    async with await Kube.connect(kubeconfig) as kube:
        await kube.apply(place)
        note = many_pods.record_secret(gzip.compress(json.dumps(noted).encode()))
        await kube.apply(note, namespace=namespace)
    return namespace


def _unanswered(what: str, limit_s: int) -> list[dict[str, str]]:
    """The one request that had no answer; a busy machine notices its limit some seconds later."""
    return [{what: f"no answer within {limit_s + late_s} s"} for late_s in range(10)]


def _of_healthy(kubeconfig: Path, *words: str, **settings: float) -> Said:
    return diagnose(kubeconfig, "-n", "healthy", "--release", DEV.release, *words, **settings)


def test_a_release_of_which_all_was_seen_and_nothing_found_is_well(
    healthy: str, bare_kubeconfig: Path, tmp_path: Path
) -> None:
    said = _of_healthy(changed(bare_kubeconfig, tmp_path))
    assert (said.status, said.last["verdict"], said.missing) == (0, "healthy", {})


LATE = {"Pod": "pods", "Event": "events", "Secret": "secrets"}


@pytest.fixture(scope="module")
def late_runs(
    healthy: str, bare_kubeconfig: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Runs]:
    """The diagnoses to which one list is never answered, by its kind."""

    def run(path: str, folder: Path) -> Said:
        with way(bare_kubeconfig, folder, f"/{healthy}/{path}", never) as kubeconfig:
            return _of_healthy(kubeconfig, "--timeout", "8", limit_s=8)

    runs = {kind: partial(run, path) for kind, path in LATE.items()}
    with started(runs, tmp_path_factory.mktemp("late")) as begun:
        yield begun


@pytest.mark.parametrize("kind", LATE)
def test_who_found_nothing_because_a_list_came_too_late_does_not_call_it_well(
    healthy: str, late_runs: Runs, kind: str
) -> None:
    said = late_runs[kind].result()
    assert (said.status, said.last["verdict"], said.last["ok"]) == (3, "unknown", False)
    assert said.missing in _unanswered(f"{kind} in {healthy}", 6)


def test_a_kind_that_nothing_depends_on_may_stay_unseen(
    healthy: str, bare_kubeconfig: Path, tmp_path: Path
) -> None:
    with way(bare_kubeconfig, tmp_path, f"/{healthy}/configmaps", never) as kubeconfig:
        said = _of_healthy(kubeconfig, limit_s=12)
    assert (said.status, said.last["verdict"], said.missing) == (0, "healthy", {})
    assert said.unavailable in _unanswered(f"ConfigMap in {healthy}", 10)


def _first(times: int, changed: Answer) -> Callable[[Answer], Answer]:
    """The first answers are others."""
    left = iter(range(times))
    return lambda answer: answer if next(left, None) is None else changed


PASSING = {
    "429": Answer(
        429, "application/json", b'{"message": "too many"}', headers=(("retry-after", "1"),)
    ),
    "503": Answer(503, "text/plain", b""),
    "a dropped connection": Answer(200, "application/json", b'{"items": []}', cut=True),
    "500": Answer(500, "application/json", b"{}"),
}


@pytest.fixture(scope="module")
def passing_runs(
    healthy: str, bare_kubeconfig: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Runs]:
    """The diagnoses to which a list is answered at the fourth request, by the answers before."""

    def run(name: str, folder: Path) -> Said:
        busy = _first(3, PASSING[name])
        with way(bare_kubeconfig, folder, f"/{healthy}/pods", busy) as kubeconfig:
            return _of_healthy(kubeconfig, limit_s=10)

    runs = {name: partial(run, name) for name in PASSING}
    with started(runs, tmp_path_factory.mktemp("passing")) as begun:
        yield begun


@pytest.mark.parametrize("name", PASSING)
def test_what_passes_is_asked_for_again(passing_runs: Runs, name: str) -> None:
    said = passing_runs[name].result()
    assert (said.status, said.missing) == (0, {})


def test_a_server_that_turns_away_half_of_all_requests_is_seen_as_a_whole(
    release: Path, tmp_path: Path
) -> None:
    count = iter(range(100_000))

    def half(path: str, answer: Answer) -> Answer:
        return PASSING["429"] if LISTS.fullmatch(path) and next(count) % 2 else answer

    with faulty_api.way(release, tmp_path, half) as kubeconfig:
        said = diagnose(kubeconfig, limit_s=40)
    assert of_pods(said.found) == IN_TROUBLE
    assert said.missing == {}


def test_a_list_whose_place_is_forgotten_is_read_to_its_end(release: Path, tmp_path: Path) -> None:
    """Pages of 20 instead of 500; each continuation has expired when it is asked for first."""
    asked: list[str] = []

    def forgets(path: str, answer: Answer) -> Answer:
        if not answer.query.get("continue") or not path.endswith("/namespaces/dev/pods"):
            return answer
        asked.append(path)
        if len(asked) % 2 == 0:
            return answer
        body = {"message": "too old", "metadata": {"continue": answer.query["continue"]}}
        return replace(answer, status=410, body=json.dumps(body).encode())

    with faulty_api.way(release, tmp_path, forgets, page=20) as kubeconfig:
        said = diagnose(kubeconfig)
    assert of_pods(said.found) == IN_TROUBLE
    assert said.missing == {}
    assert len(asked) >= 4


BAD: dict[str, tuple[Callable[[Answer], Answer], str]] = {
    "cut": (lambda answer: replace(answer, cut=True), "did not answer a request to list Pod"),
    "garbage": (lambda answer: replace(answer, body=b"\x00\xff{{{"), "can't be read"),
    "a list": (lambda answer: replace(answer, body=b"[1, 2]"), "can't be read"),
    "a page": (
        lambda answer: replace(
            answer, kind="text/html", body=b"<html><title>Log in</title><p>Who are you?</html>"
        ),
        "Log in Who are you?",
    ),
    "500": (
        lambda answer: replace(
            answer, status=500, kind="text/html", body=b"<html><h1>Oops</h1></html>"
        ),
        "refused to list Pod: 500 Internal Server Error Oops",
    ),
    "503": (lambda answer: replace(answer, status=503, body=b""), "503 Service Unavailable"),
    "429": (
        lambda answer: replace(answer, status=429, body=b'{"message": "too many requests"}'),
        "refused to list Pod: too many requests",
    ),
    "items of no shape": (
        lambda answer: replace(answer, body=b'{"items": [null, 7, "x"], "metadata": 3}'),
        "can't be read",
    ),
}


@pytest.fixture(scope="module")
def bad_runs(release: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Runs]:
    """The diagnoses to which the list of pods is answered badly, by the answer."""

    def run(name: str, folder: Path) -> Said:
        change, _ = BAD[name]
        with way(release, folder, "/namespaces/dev/pods", change) as kubeconfig:
            return diagnose(kubeconfig, "--timeout", "30", limit_s=45)

    runs = {name: partial(run, name) for name in BAD}
    with started(runs, tmp_path_factory.mktemp("bad")) as begun:
        yield begun


@pytest.mark.parametrize("name", BAD)
def test_bad_answers_to_one_list_are_named_and_hide_nothing_else(bad_runs: Runs, name: str) -> None:
    _, why = BAD[name]
    said = bad_runs[name].result()
    assert said.status == 1
    assert not said.last["ok"]
    assert why in said.missing["Pod in dev"]
    assert "<" not in said.unavailable["Pod in dev"]
    # What was seen is judged, and that there are no pods isn't claimed.
    assert ("ingress-class-missing", "Ingress/vrooli-dev") in said.found
    assert not any("service" in rule for rule, _ in said.found)


def test_a_list_that_breaks_off_is_judged_as_far_as_it_came(release: Path, tmp_path: Path) -> None:
    pages = iter(range(100))

    def first_only(path: str, answer: Answer) -> Answer:
        if not path.endswith("/namespaces/dev/pods"):
            return answer
        if next(pages):
            return replace(answer, status=500, body=b"{}")
        body = json.loads(answer.body)
        body["metadata"]["continue"] = "more"
        return replace(answer, body=json.dumps(body).encode())

    with faulty_api.way(release, tmp_path, first_only) as kubeconfig:
        said = diagnose(kubeconfig, "--timeout", "12", limit_s=20)
    assert of_pods(said.found) == IN_TROUBLE
    assert "500" in said.unavailable["Pod in dev"]


def test_where_every_answer_is_a_fault_it_is_no_cluster(release: Path, tmp_path: Path) -> None:
    with way(release, tmp_path, "", lambda answer: replace(answer, status=503)) as kubeconfig:
        said = diagnose(kubeconfig)
    assert said.status == 3
    assert "reports an internal error" in said.last["message"]


def test_a_page_of_a_proxy_is_no_cluster(release: Path, tmp_path: Path) -> None:
    page = Answer(200, "text/html", b"<html>Welcome to the hotel's network</html>")
    with way(release, tmp_path, "", lambda _: page) as kubeconfig:
        said = diagnose(kubeconfig)
    assert said.status == 3
    assert "is not a Kubernetes API" in said.last["message"]


def test_a_server_that_takes_connections_and_says_nothing_is_no_cluster(
    release: Path, tmp_path: Path
) -> None:
    with way(release, tmp_path, "", never) as kubeconfig:
        said = diagnose(kubeconfig, limit_s=30)
    assert said.status == 3
    assert "did not respond within 30 s" in said.last["message"]


def test_a_server_whose_first_answer_takes_longer_than_a_connection_is_seen(
    healthy: str, bare_kubeconfig: Path, tmp_path: Path
) -> None:
    def slow(answer: Answer) -> Answer:
        return replace(answer, wait_s=12.0)

    with way(bare_kubeconfig, tmp_path, "/version", slow) as kubeconfig:
        said = _of_healthy(kubeconfig, limit_s=20)
    assert said.last["verdict"] == "healthy"


@contextmanager
def busy_machine(processes: int) -> Iterator[None]:
    """So many processes that do nothing but compute, for at most two minutes; others go first."""
    script = "import time; end = time.monotonic() + 120\nwhile time.monotonic() < end: pass"
    argv = ["nice", "-n", "5", sys.executable, "-S", "-c", script]
    started = [subprocess.Popen(argv) for _ in range(processes)]
    try:
        yield
    finally:
        for process in started:
            process.kill()
            process.wait()


@pytest.mark.long
def test_a_machine_with_twenty_busy_processes_is_no_reason_to_see_nothing(
    healthy: str, release: Path, tmp_path: Path
) -> None:
    with busy_machine(20):
        ill = diagnose(changed(release, tmp_path), limit_s=90)
        well = _of_healthy(changed(release, tmp_path), limit_s=90)
    assert of_pods(ill.found) == IN_TROUBLE
    assert (ill.missing, well.missing, well.last["verdict"]) == ({}, {}, "healthy")


def changed(kubeconfig: Path, folder: Path, **settings: Any) -> Path:
    """A kubeconfig with other settings of its cluster, or another token."""
    config = yaml.safe_load(kubeconfig.read_text())
    if token := settings.pop("token", None):
        config["users"][0]["user"] = {"token": token}
    config["clusters"][0]["cluster"] |= settings
    path = folder / "kubeconfig"
    path.write_text(yaml.safe_dump(config))
    return path


def test_nobody_listens(bare_kubeconfig: Path, tmp_path: Path) -> None:
    server = f"https://127.0.0.1:{free_port()}"
    said = diagnose(changed(bare_kubeconfig, tmp_path, server=server))
    assert said.status == 3
    assert f"The Kubernetes API at {server} is unreachable" in said.last["message"]
    assert said.last["advice"]


def test_another_certificate_authority(bare_kubeconfig: Path, tmp_path: Path) -> None:
    authority = tmp_path / "authority.crt"
    self_signed(authority, tmp_path / "authority.key", timedelta(days=1))
    settings = {"insecure-skip-tls-verify": False, "certificate-authority": str(authority)}
    said = diagnose(changed(bare_kubeconfig, tmp_path, **settings))
    assert said.status == 3
    assert "is not trusted" in said.last["message"]


def test_a_token_that_has_expired(bare_kubeconfig: Path, tmp_path: Path) -> None:
    said = diagnose(changed(bare_kubeconfig, tmp_path, token="of-yesterday"))
    assert said.status == 3
    assert "denies access to this user (401: Unauthorized)" in said.last["message"]
    assert "log in again" in said.last["advice"]


def test_a_context_that_does_not_exist(tmp_path: Path) -> None:
    path = tmp_path / "kubeconfig"
    path.write_text("{}")
    said = diagnose(path)
    assert said.status == 2
    assert "no context 'bare'" in said.last["message"]


def test_a_namespace_that_does_not_exist(bare_kubeconfig: Path, tmp_path: Path) -> None:
    said = diagnose(changed(bare_kubeconfig, tmp_path), "-n", "nowhere")
    assert said.status == 1
    assert ("namespace-missing", "Namespace/nowhere") in said.found
    assert said.unavailable == {}


async def reader(kube: Kube, name: str, namespace: str, rules: list[dict[str, Any]]) -> str:
    """The token of an account that may do no more in a namespace than these rules say."""
    rbac, group = "rbac.authorization.k8s.io/v1", "rbac.authorization.k8s.io"
    metadata = {"name": name, "namespace": namespace}
    reference = {"apiGroup": group, "kind": "Role", "name": name}
    subjects = [{"kind": "ServiceAccount", **metadata}]
    binding = {"roleRef": reference, "subjects": subjects}
    await kube.apply({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata})
    await kube.apply({"apiVersion": rbac, "kind": "Role", "metadata": metadata, "rules": rules})
    await kube.apply({"apiVersion": rbac, "kind": "RoleBinding", "metadata": metadata, **binding})
    return await kube.service_account_token(namespace, name, 600)


async def test_who_may_read_pods_alone_is_told_of_them_and_of_what_stays_unseen(
    release: Path, bare_kube: Kube, tmp_path: Path
) -> None:
    rules = [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get", "list"]}]
    token = await reader(bare_kube, "pods-only", DEV.namespace, rules)
    said = diagnose(changed(release, tmp_path, token=token))
    assert said.status == 1
    assert of_pods(said.found) == IN_TROUBLE
    assert {what for _, what in said.found} <= {
        f"Deployment/{DEV.release}-{name}"
        for name in ("server", "ui", "jobs", "adminer", "nsfw-detector")
    }
    assert len(said.unavailable) < 50
    secrets = next(why for what, why in said.unavailable.items() if what.startswith("Secret in"))
    assert 'cannot list resource "secrets"' in secrets
    logs = next(why for what, why in said.unavailable.items() if "logs, such as" in what)
    assert 'cannot get resource "pods/log"' in logs
    assert "pods/exec" in said.unavailable["connectivity and DNS of pods in dev"]


async def test_who_may_read_pods_alone_does_not_call_a_release_well(
    healthy: str, bare_kube: Kube, bare_kubeconfig: Path, tmp_path: Path
) -> None:
    rules = [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get", "list"]}]
    token = await reader(bare_kube, "pods-only", healthy, rules)
    said = _of_healthy(changed(bare_kubeconfig, tmp_path, token=token))
    assert (said.status, said.last["verdict"]) == (3, "unknown")
    assert "Secret in healthy" in said.missing
    assert 'cannot list resource "secrets"' in said.missing["Secret in healthy"]
    assert not {"Pod in healthy", "ConfigMap in healthy", "Node"} & set(said.missing)
    advice = {item["resource"]: item["advice"] for item in said.last["missing"]}
    assert "kubectl auth can-i list secrets -n healthy" in advice["Secret in healthy"]


async def test_who_may_read_all_of_a_namespace_sees_the_operators_objects_in_it(
    release: Path, bare_kube: Kube, tmp_path: Path
) -> None:
    rules = [{"apiGroups": ["*"], "resources": ["*"], "verbs": ["get", "list"]}]
    token = await reader(bare_kube, "one-namespace", DEV.namespace, rules)
    body: dict[str, Any] = {
        "apiVersion": "databases.spotahome.com/v1",
        "kind": "RedisFailover",
        "metadata": {"name": "vrooli-rf", "namespace": DEV.namespace},
        "spec": {
            "redis": {"replicas": 5},
            "sentinel": {"replicas": 1},
            "auth": {"secretPath": "no-such-secret"},
        },
    }
    await bare_kube.apply(body)
    try:
        said = diagnose(changed(release, tmp_path, token=token))
    finally:
        await bare_kube.delete(body["apiVersion"], "RedisFailover", "vrooli-rf", DEV.namespace)
    assert ("redis-auth-secret-missing", "RedisFailover/vrooli-rf") in said.found
    assert not {rule for rule, _ in said.found} & {"redis-operator-down", "redis-crd-missing"}
    assert "at the cluster scope" in said.unavailable["RedisFailover"]
    # The right to get all is no right to run something.
    assert "pods/exec" in said.unavailable["connectivity and DNS of pods in dev"]


ODD_STATUSES = (None, {"conditions": None, "containerStatuses": None}, {"conditions": [None, 7]})


def test_objects_of_no_usual_shape(release: Path, tmp_path: Path) -> None:
    def odd(path: str, answer: Answer) -> Answer:
        if answer.status != 200 or "/namespaces/dev/" not in path or path.endswith("/log"):
            return answer
        body = json.loads(answer.body)
        for number, item in enumerate(body.get("items") or ()):
            if number % 2:
                item["status"] = ODD_STATUSES[number // 2 % len(ODD_STATUSES)]
            else:
                item["spec"] = {"template": None, "containers": "none", "selector": [1]}
        return replace(answer, body=json.dumps(body).encode())

    with faulty_api.way(release, tmp_path, odd) as kubeconfig:
        said = diagnose(kubeconfig)
    assert said.status == 1
    assert said.found


async def test_custom_resources_that_keep_unknown_fields(
    release: Path, bare_kube: Kube, tmp_path: Path
) -> None:
    """What the definitions allow, and no operator ever wrote."""
    odd = [
        {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "x"}, "spec": {"a": [None]}},
        {"kind": None, "metadata": {"name": "y", "labels": None, "ownerReferences": "none"}},
        {"metadata": None},
        {"metadata": {"name": 7}},
    ]

    def with_odd(path: str, answer: Answer) -> Answer:
        if not path.endswith(("postgresclusters", "redisfailovers", "vaultstaticsecrets")):
            return answer
        body = json.loads(answer.body)
        return replace(answer, body=json.dumps({**body, "items": odd}).encode())

    with faulty_api.way(release, tmp_path, with_odd) as kubeconfig:
        said = diagnose(kubeconfig)
    assert said.status == 1
    assert of_pods(said.found) == IN_TROUBLE


def test_logs_that_are_no_text(release: Path, tmp_path: Path) -> None:
    bundle = tmp_path / "bundle.tar.gz"
    said = diagnose(changed(release, tmp_path), "--bundle", str(bundle))
    assert said.status == 1
    assert of_pods(said.found) == IN_TROUBLE
    # A log may take longer than its limit on a busy machine; no other reason is accepted.
    reasons = [why for what, why in said.unavailable.items() if "log of" in what]
    assert not [why for why in reasons if "no answer within" not in why]
    with tarfile.open(bundle) as archive:
        logs = [item for item in archive if item.name.endswith(".log")]
        file = archive.extractfile(logs[0])
        assert file is not None
        assert "red \ufffd( and \ufffd" in file.read().decode()


BOMB = gzip.compress(b'{"manifest": "' + b"x" * (40 * 1024 * 1024) + b'"}')
NOTED = {"version": 1, "info": {"status": "deployed"}, "manifest": "a: 1\n" * 800_000}
LARGE = gzip.compress(json.dumps(NOTED).encode())
NOTES = {
    "no gzip": (b"garbage", "it can't be read"),
    "cut": (gzip.compress(b'{"version": 1}' * 1000)[:40], "it is truncated"),
    "no JSON": (gzip.compress(b"{{{"), "it can't be read"),
    "no note": (gzip.compress(b"[1]"), "it is not a record of Helm"),
    "deep": (gzip.compress(b"[" * 200_000), "it can't be read"),
    "a bomb": (BOMB, "too large for a record of Helm"),
    "many objects": (LARGE, "its objects take 4000000 characters"),
}


@pytest.mark.parametrize("name", NOTES)
async def test_a_note_of_helm_s_that_can_not_be_read_is_told_and_stops_nothing(
    bare_kube: Kube, bare_kubeconfig: Path, tmp_path: Path, name: str
) -> None:
    packed, why = NOTES[name]
    namespace = f"note-{name.lower().replace(' ', '-')}"
    place = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}}
    await bare_kube.apply(place)
    note = many_pods.record_secret(packed)
    note["metadata"]["labels"] |= {"status": "deployed", "version": "1"}
    await bare_kube.apply(note, namespace=namespace)
    sick = pod_of("vrooli-dev-jobs", ready=False, phase="Pending")
    sick["metadata"] = {"name": "sick", "namespace": namespace}
    await bare_kube.apply({key: sick[key] for key in ("apiVersion", "kind", "metadata", "spec")})
    said = diagnose(changed(bare_kubeconfig, tmp_path), "-n", namespace)
    (told,) = [text for what, text in said.unavailable.items() if what.startswith("Helm's record")]
    assert why in told
    assert "release-missing" not in {rule for rule, _ in said.found}
    # Without the newest note nobody knows what the release should be.
    assert said.status in (1, 3)
