"""Two hundred secrets planted in the live release: nothing that is written or said shows one."""

from __future__ import annotations

import asyncio
import json
import sys
import tarfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from fnmatch import fnmatch
from pathlib import Path

import pytest

from support.cluster.live import Live
from support.secrets import planted_secrets
from support.secrets.canaries import canaries, leaked
from vrooli import project
from vrooli.diagnosis.failure_report import save
from vrooli.errors import VrooliError
from vrooli.events import silent
from vrooli.kube import Kube
from vrooli.release import Release
from vrooli.release.failure_handling import DeployFailedError, Failed, FailureReport
from vrooli.release.records import storage

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.root,
    # What a look cuts off at its limit leaves sockets to the collector, on a busy machine only.
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

VROOLI = Path(sys.executable).with_name("vrooli")
PLANTED = list(canaries(8))
# With those that stand in environments only.
ALL = [*PLANTED, *planted_secrets.SETTINGS]
# What stays of the first of them: where it stands, its place was shown.
SHOWN = "opened the session with (masked) for bob"
LIMIT_S = 300.0
# Commands at once: each waits for the cluster more than it works.
AT_ONCE = 3
BUNDLE = "diagnose"
COMMANDS = {
    # First: the graph takes a warning for news for three minutes only.
    **{f"graph as {form}": f"graph --live --format {form}" for form in ("html", "json")},
    **{f"graph as {form}": f"graph --live --format {form}" for form in ("mermaid", "svg")},
    BUNDLE: "diagnose --bundle {folder}/b.tar.gz",
    "diagnose as JSON": "diagnose --output json",
    "status": "status",
    "status as JSON": "status --output json",
    "status that watches": "status --watch --timeout 5 --output json",
    "logs": "logs server --tail 500",
    "logs as JSON": "logs server --tail 500 --output json",
    "check": "check --check-only --junit {folder}/check.xml",
    "check as JSON": "check --check-only --operators --output json",
    "history": "history --output json",
}
# Which of them quote what was planted.
QUOTING = ("diagnose", "diagnose as JSON", "logs", "logs as JSON", "graph as html", "graph as json")
# Each file of a bundle that has a planted text in it, and the files that a deploy keeps alike.
FILES = (
    "page.html",
    "findings.json",
    "events.json",
    "answers.json",
    "metrics/planted-*.txt",
    "logs/*/planted-*/server.log",
    "logs/*/planted-crashes-*/part-?.*",
    "objects/*/ConfigMap/planted.json",
    "objects/*/Deployment/planted.json",
    "objects/*/ReplicaSet/planted-*.json",
    "objects/*/Pod/planted-*.json",
)
# The settings of the release that somebody changes by hand: pods read them at their start only.
SETTINGS = ("vrooli-dev-config", "vrooli-dev-connections")


@dataclass(frozen=True)
class Said:
    """What was said and written while the secrets were in the cluster.

    Attributes:
        outputs: What each command printed, and with which status it ended.
        folder: Where commands wrote files to.
        since: When it began.
    """

    outputs: dict[str, tuple[int, str]]
    folder: Path
    since: float


@pytest.fixture(scope="module")
async def planted(live: Live) -> AsyncIterator[Kube]:
    """A release with secrets everywhere in it; afterwards they are gone."""
    where = live.environment.namespace
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    made = [*planted_secrets.objects(PLANTED, where), *planted_secrets.events(PLANTED, where, now)]
    async with await Kube.connect(live.kubeconfig) as kube:
        try:
            await planted_secrets.plant(kube, made)
            yield kube
        finally:
            await planted_secrets.remove(kube, made)


@pytest.fixture(scope="module")
async def said(live: Live, planted: Kube, tmp_path_factory: pytest.TempPathFactory) -> Said:
    """What every command says of it."""
    folder, since, free = tmp_path_factory.mktemp("said"), time.time(), asyncio.Semaphore(AT_ONCE)

    async def one(command: str) -> tuple[int, str]:
        async with free:
            return await run(live, command.format(folder=folder))

    together = [name for name in COMMANDS if name != BUNDLE]
    found = await asyncio.gather(*(one(COMMANDS[name]) for name in together))
    outputs = dict(zip(together, found, strict=True))
    # By itself: what the bundle demands is that every probe has its answer in time.
    return Said({**outputs, BUNDLE: await one(COMMANDS[BUNDLE])}, folder, since)


async def run(live: Live, command: str) -> tuple[int, str]:
    """A command's status, and all that it says."""
    started = await asyncio.create_subprocess_exec(
        *(str(VROOLI), *command.split(), "--cluster", live.cluster),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    async with asyncio.timeout(LIMIT_S):
        output, _ = await started.communicate()
    return started.returncode or 0, output.decode()


def files(archive: Path) -> dict[str, str]:
    """The texts in a bundle, by their path below its folder."""
    with tarfile.open(archive) as opened:
        found = {item.name: opened.extractfile(item) for item in opened.getmembers()}
        texts = {name: file.read().decode() for name, file in found.items() if file}
    return {name.partition("/")[2]: text for name, text in texts.items()}


def demand_masked(archive: Path) -> None:
    """See that a bundle shows every place where secrets are, and none of them."""
    found = files(archive)
    assert leaked(ALL, "\n".join(found.values())) == []
    for pattern in FILES:
        texts = [text for name, text in found.items() if fnmatch(name, pattern)]
        assert any(SHOWN in text for text in texts), pattern


async def test_the_secrets_are_in_the_cluster_for_everybody_to_see(
    live: Live, planted: Kube
) -> None:
    assert len(PLANTED) >= 200
    assert len({item.shape for item in PLANTED}) >= 20
    where = live.environment.namespace
    kinds = (("v1", "Pod"), ("v1", "ConfigMap"), ("v1", "Event"), ("apps/v1", "Deployment"))
    for kind in kinds:
        bodies = await planted.list(*kind, where)
        own = [body for body in bodies if planted_secrets.NAME in body["metadata"]["name"]]
        texts = [item for item in PLANTED if "two lines" not in item.shape]
        assert len(leaked(texts, json.dumps(own))) == len(texts), kind
        if kind[1] in ("Pod", "Deployment"):
            assert len(leaked(planted_secrets.SETTINGS, json.dumps(own))) == len(
                planted_secrets.SETTINGS
            )
    words = json.dumps([body.get("status") for body in await planted.list("v1", "Pod", where)])
    assert len(leaked(PLANTED, words)) > len({item.shape for item in PLANTED})


@pytest.mark.parametrize("command", COMMANDS)
async def test_no_command_says_a_secret(said: Said, command: str) -> None:
    status, output = said.outputs[command]
    assert status in (0, 1), output
    hidden = ALL
    if command.startswith("logs"):
        # Each line is masked by itself, as the page on diagnosis says.
        hidden = [item for item in ALL if "two lines" not in item.shape]
    # A console breaks long lines, at blanks and in words.
    assert leaked(hidden, f"{output}\n{''.join(output.splitlines())}") == []
    assert SHOWN in " ".join(output.split()) or command not in QUOTING


async def test_no_file_of_the_bundle_holds_a_secret(said: Said) -> None:
    demand_masked(said.folder / "b.tar.gz")


async def test_no_other_file_holds_a_secret(said: Said) -> None:
    assert leaked(ALL, (said.folder / "check.xml").read_text()) == []
    kept = project.state_dir()
    for path in kept.rglob("*"):
        # What the cluster itself is made of has its Secrets, too: its database, its nodes' disks.
        if "clusters" in path.relative_to(kept).parts or not path.is_file():
            continue
        if path.stat().st_mtime >= said.since:
            text = "\n".join(files(path).values()) if path.suffix == ".gz" else path.read_text()
            assert leaked(ALL, text) == [], path


async def test_a_deploy_that_fails_keeps_and_says_no_secret(
    live: Live, planted: Kube, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VROOLI_STATE_DIR", str(tmp_path))
    release = Release.of(live.environment, live.kubeconfig)
    wanted = await storage.fetch_manifests(planted, release)

    async def keeps(failure: str) -> FailureReport:
        return await save(planted, release, wanted, failure)

    error = VrooliError("\n".join(item.text for item in PLANTED))
    failed = Failed(
        planted, release, wanted, await storage.fetch_revision(planted, release), error, keeps
    )
    with pytest.raises(DeployFailedError) as ended:
        await failed.end(silent, rollback=False)
    assert leaked(PLANTED, ended.value.message) == []
    assert SHOWN in ended.value.message
    (archive,) = tmp_path.rglob("*.tar.gz")
    demand_masked(archive)


@asynccontextmanager
async def changed(kube: Kube, namespace: str, texts: list[str]) -> AsyncIterator[list[str]]:
    """The release's settings with some texts by hand; yields those that found no place."""
    left, before = list(texts), {}
    for name in SETTINGS:
        body = await kube.get("v1", "ConfigMap", name, namespace)
        assert body is not None
        before[name] = dict(body["data"])
    try:
        for name, data in before.items():
            by_hand = {key: left.pop(0) for key in data if left}
            await kube.patch("v1", "ConfigMap", name, namespace, {"data": by_hand})
        yield left
    finally:
        for name, data in before.items():
            await kube.patch("v1", "ConfigMap", name, namespace, {"data": data})


async def test_how_a_release_differs_is_said_without_secrets(live: Live, planted: Kube) -> None:
    texts, said = [item.text for item in planted_secrets.of_each(PLANTED, 0)], ""
    left = texts
    for output in ("text", "json"):
        async with changed(planted, live.environment.namespace, left) as rest:
            status, told = await run(live, f"diff --output {output}")
        assert status == 1, told
        left, said = rest, f"{said}\n{told}"
    assert len(texts) - len(left) >= 20
    assert leaked(PLANTED, said) == []
    assert SHOWN in said
