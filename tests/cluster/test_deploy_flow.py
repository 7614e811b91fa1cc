"""A deploy on an API server without nodes: it looks, applies, fails, and goes back."""

from __future__ import annotations

import asyncio
import json
import tarfile
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import count
from pathlib import Path

import pytest

from support.release.artifacts import APPLICATION_ONLY, DEV, Source
from vrooli.artifact import model
from vrooli.chart import values
from vrooli.checks import catalog
from vrooli.checks.interface import Check, CheckResult, Site
from vrooli.checks.preflight import NotDeployableError
from vrooli.environments import ENVIRONMENTS, Environment
from vrooli.errors import InterruptError, PrerequisiteError, UsageError
from vrooli.events import Event, LogLine, Progress, StepEnded, StepStarted, silent
from vrooli.kube import ApiError, Kube
from vrooli.release import Release, apply, lease
from vrooli.release.failure_handling import DeployFailedError
from vrooli.release.records import storage
from vrooli.release.records.author import author
from vrooli.workflows.deploys import history
from vrooli.workflows.deploys.deploy import deploy
from vrooli.workflows.options import DeployOptions
from vrooli.workflows.safeguards import replacement
from vrooli.workflows.safeguards.consent import Consent

# A request that is cancelled while it connects leaves its socket to the garbage collector.
pytestmark = [
    pytest.mark.usefixtures("cut_connections"),
    pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning"),
]

CONTEXT = "context:bare"
VERSION = "3.2.1"
# The digest of each image in its registry, as a push records it.
DIGEST = f"sha256:{'a' * 64}"
NUMBERS = count()
STAGING = ENVIRONMENTS["staging"]
NO = Consent(ask=lambda question: False)


@pytest.fixture(scope="module")
def artifact(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An artifact of the application alone: no operator runs here, and no Vault."""
    source = Source(tmp_path_factory.mktemp("source"))
    chosen = values.merge(values.load(DEV), APPLICATION_ONLY)
    out = tmp_path_factory.mktemp("out")
    folder = source.build_for({DEV: chosen, STAGING: chosen}, out, VERSION)
    record = model.locate(folder) / model.RECORD
    built = model.read(record.parent)
    images = tuple(
        image.model_copy(update={"pushed": dict.fromkeys(image.references, DIGEST)})
        for image in built.images
    )
    record.write_text(built.model_copy(update={"images": images}).text())
    return folder


@pytest.fixture
async def cluster(
    bare_kube: Kube, bare_kubeconfig: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> AsyncIterator[Kube]:
    """The API server as the context that the user's kubeconfig names."""
    monkeypatch.setenv("KUBECONFIG", str(bare_kubeconfig))
    monkeypatch.setenv("VROOLI_STATE_DIR", str(tmp_path / "state"))
    yield bare_kube


@pytest.fixture
def here() -> Environment:
    """Development in a namespace of the test's own: nothing here ever ends one."""
    return replace(DEV, namespace=f"flow-{next(NUMBERS)}")


@pytest.fixture
def options(artifact: Path, here: Environment) -> DeployOptions:
    """A deploy that gives up soon."""
    return DeployOptions(here, VERSION, artifact, CONTEXT, timeout_s=6.0)


@pytest.fixture
def shared(options: DeployOptions) -> DeployOptions:
    """The same into staging, in a namespace of the test's own: others use it, so it is asked."""
    return replace(options, environment=replace(STAGING, namespace=f"flow-{next(NUMBERS)}"))


async def test_a_first_deploy_that_fails_is_taken_away_and_its_evidence_stays(
    cluster: Kube, options: DeployOptions, here: Environment, tmp_path: Path
) -> None:
    heard: list[Event] = []
    with pytest.raises(DeployFailedError, match="isn't ready after 6 s") as failed:
        await deploy(options, heard.append)
    assert "did not exist before and was uninstalled again" in failed.value.message
    steps = [event.step for event in heard if isinstance(event, StepEnded)]
    assert sorted(steps[:3]) == ["changes", "checks", "images"]
    assert steps[3:] == ["release", "healthy", "evidence", "rollback"]
    assert "+ Deployment/vrooli-dev-server" in [
        event.text for event in heard if isinstance(event, LogLine)
    ]
    assert await cluster.list("apps/v1", "Deployment", here.namespace) == []
    (report,) = (tmp_path / "state" / "reports").iterdir()
    assert str(report) in failed.value.message
    with tarfile.open(report) as archive:
        file = archive.extractfile("vrooli-diagnosis-vrooli-dev/findings.json")
        assert file is not None
        found = json.load(file)
    # So soon after its begin nobody can say more than what the deploy itself was waiting for.
    assert "isn't ready after 6 s" in found["failure"]
    assert "Deployment/vrooli-dev-server: " in found["failure"]


async def test_without_rollback_the_release_is_left_and_a_second_deploy_goes_on(
    cluster: Kube, options: DeployOptions, here: Environment, bare_kubeconfig: Path
) -> None:
    with pytest.raises(DeployFailedError, match="vrooli-dev is left as it is"):
        await deploy(replace(options, rollback=False), silent)
    found = await history.history(here, CONTEXT, silent)
    (revision,) = found.revisions
    assert (revision.number, revision.status) == (1, "deployed")
    assert revision.description.startswith("it did not become ready: The release isn't ready after")
    assert (revision.outcome, revision.origin, revision.version) == ("failed", "artifact", VERSION)
    who = author()
    assert (revision.deployed_by, revision.deployed_from) == (who.name, who.place)
    release = Release.of(here, bare_kubeconfig)
    with pytest.raises(UsageError, match=f"version {VERSION}, which was deployed from an artifact"):
        await replacement.demand(cluster, release, here, Consent())
    assert (await history.diff(DeployOptions(here, cluster=CONTEXT), silent)).ok
    assert (await history.diff(options, silent)).ok
    deployments = await cluster.list("apps/v1", "Deployment", here.namespace)
    images = {
        container["image"].rpartition("/")[2]
        for deployment in deployments
        for container in deployment["spec"]["template"]["spec"]["containers"]
    }
    assert images >= {f"{name}:{VERSION}@{DIGEST}" for name in ("ui", "server", "jobs")}
    with pytest.raises(DeployFailedError, match="isn't ready"):
        await deploy(replace(options, rollback=False), silent)
    again = await history.history(here, CONTEXT, silent)
    assert [item.number for item in again.revisions] == [1]


async def test_what_a_deploy_could_not_look_at_is_said_by_its_step(
    cluster: Kube, shared: DeployOptions, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refuse(site: Site) -> CheckResult:
        raise ApiError("list Node", 403, "forbidden")

    heard: list[Event] = []
    blind = Check("blind", "Blind", "looks at nothing", refuse, stops_deploy=True)
    monkeypatch.setattr(catalog, "STOP_DEPLOYS", (*catalog.STOP_DEPLOYS, blind))
    with pytest.raises(InterruptError):
        await deploy(shared, heard.append, NO)
    (said,) = [one.detail for one in heard if isinstance(one, StepEnded) and one.step == "checks"]
    assert said.startswith("the cluster accepts ")
    assert "not checked" in said
    assert "Blind" in said


async def test_a_person_who_says_no_has_changed_nothing(
    cluster: Kube, shared: DeployOptions
) -> None:
    with pytest.raises(InterruptError, match="nothing was changed"):
        await deploy(shared, silent, NO)
    assert await cluster.get("v1", "Namespace", shared.environment.namespace) is None


async def test_without_a_terminal_and_without_yes_nothing_is_changed(
    cluster: Kube, shared: DeployOptions
) -> None:
    heard: list[Event] = []
    with pytest.raises(UsageError, match="Deployment/vrooli-staging-jobs") as refused:
        await deploy(shared, heard.append, Consent())
    assert "--yes" in refused.value.advice
    shown = [event.text for event in heard if isinstance(event, LogLine)]
    assert "+ Deployment/vrooli-staging-server" in shown
    assert await cluster.get("v1", "Namespace", shared.environment.namespace) is None


async def test_what_was_confirmed_is_not_done_to_another_state(
    cluster: Kube, shared: DeployOptions, bare_kubeconfig: Path
) -> None:
    release = Release.of(shared.environment, bare_kubeconfig)

    async def install() -> None:
        async with await Kube.connect(bare_kubeconfig) as kube:
            await apply.ensure(kube, release, values.load(DEV), Progress())

    def slowly(question: str) -> bool:
        with ThreadPoolExecutor() as other:
            other.submit(asyncio.run, install()).result()
        return True

    with pytest.raises(PrerequisiteError, match="finished in the meantime"):
        await deploy(shared, silent, Consent(ask=slowly))
    assert [item.number for item in await storage.fetch_revisions(cluster, release)] == [1]


async def test_a_deploy_is_refused_while_another_holds_the_release(
    cluster: Kube, options: DeployOptions, here: Environment, bare_kubeconfig: Path
) -> None:
    release = Release.of(here, bare_kubeconfig)
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": here.namespace}}
    await cluster.create(namespace)
    spec = {
        "holderIdentity": "bob@elsewhere, process 7",
        "leaseDurationSeconds": 3600,
        "renewTime": "2999-01-01T00:00:00.000000Z",
    }
    metadata = {"name": lease.lease_name(release), "namespace": here.namespace}
    held = {"apiVersion": lease.API, "kind": lease.KIND, "metadata": metadata, "spec": spec}
    await cluster.create(held, here.namespace)
    with pytest.raises(PrerequisiteError, match="bob@elsewhere, process 7"):
        await deploy(options, silent)
    assert await storage.fetch_revision(cluster, release) is None


async def test_of_two_at_once_one_is_refused_and_changes_nothing(
    cluster: Kube, options: DeployOptions
) -> None:
    one, other = await asyncio.gather(
        deploy(options, silent), deploy(options, silent), return_exceptions=True
    )
    ended = {type(one): one, type(other): other}
    assert set(ended) == {DeployFailedError, PrerequisiteError}
    assert "Another deploy of vrooli-dev is running" in str(ended[PrerequisiteError])


async def test_an_interrupted_deploy_lets_go_and_is_finished_by_the_next(
    cluster: Kube, options: DeployOptions, here: Environment, bare_kubeconfig: Path
) -> None:
    release = Release.of(here, bare_kubeconfig)
    running = asyncio.create_task(deploy(options, silent))
    async with asyncio.timeout(60):
        # Another process makes the record.
        while await storage.fetch_revision(cluster, release) is None:  # noqa: ASYNC110
            await asyncio.sleep(0.2)
    running.cancel("SIGTERM")
    with pytest.raises(InterruptError) as interrupted:
        await running
    assert "Already changed: " in interrupted.value.message
    assert "`vrooli uninstall -e dev --cluster context:bare`" in interrupted.value.advice
    assert "continues where it stopped" in interrupted.value.advice
    assert await lease.fetch_holder(cluster, release) is None
    with pytest.raises(DeployFailedError, match="isn't ready"):
        await deploy(replace(options, rollback=False), silent)


async def _interrupted(options: DeployOptions, consent: Consent, signal: str) -> InterruptError:
    """What a deploy ends with that is interrupted while it waits for the pods."""
    following = asyncio.Event()

    def listen(event: Event) -> None:
        if isinstance(event, StepStarted) and event.step == "healthy":
            following.set()

    running = asyncio.create_task(deploy(replace(options, timeout_s=60), listen, consent))
    async with asyncio.timeout(60):
        await following.wait()
    running.cancel(signal)
    with pytest.raises(InterruptError) as interrupted:
        await running
    return interrupted.value


async def test_an_interrupted_first_deploy_is_taken_away_where_the_person_wants_it(
    cluster: Kube, options: DeployOptions, here: Environment, bare_kubeconfig: Path
) -> None:
    questions: list[str] = []

    def ask(question: str) -> bool:
        questions.append(question)
        return True

    error = await _interrupted(options, Consent(yes=True, ask=ask), "SIGINT")
    (question,) = questions
    assert "Deployment/vrooli-dev-jobs" in question
    assert question.endswith("Uninstall the release?")
    assert error.message.startswith("vrooli-dev did not exist before and was uninstalled again")
    assert await storage.fetch_revision(cluster, Release.of(here, bare_kubeconfig)) is None
    assert await cluster.list("apps/v1", "Deployment", here.namespace) == []


async def test_only_a_person_who_interrupted_it_is_asked_and_the_rest_is_told_the_command(
    cluster: Kube, options: DeployOptions, here: Environment, bare_kubeconfig: Path
) -> None:
    questions: list[str] = []
    release = Release.of(here, bare_kubeconfig)
    await apply.ensure(cluster, release, values.load(DEV), Progress())
    consent = Consent(yes=True, ask=questions.append)  # type: ignore[arg-type]
    error = await _interrupted(options, consent, "SIGTERM")
    assert questions == []
    assert "Already changed: " in error.message
    assert "Deployment/" in error.message
    assert "Helm's revision 2 is deployed and may not be ready" in error.message
    assert f"`vrooli rollback -e dev --cluster {CONTEXT}`" in error.advice
    told = await history.history(here, CONTEXT, silent)
    assert told.revisions[-1].outcome == "failed"
    assert told.revisions[-1].description == "it did not become ready: it was interrupted"


async def test_a_namespace_that_is_ending_is_told_once_and_not_with_every_object(
    cluster: Kube, options: DeployOptions, here: Environment
) -> None:
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": here.namespace}}
    await cluster.create(namespace)
    await cluster.delete("v1", "Namespace", here.namespace)
    with pytest.raises(NotDeployableError) as refused:
        await deploy(options, silent)
    (_, finding) = refused.value.message.splitlines()
    assert f"Namespace/{here.namespace}: it is being deleted." in finding
