"""Empty the data of the dev release, and fill it with a few posts."""

from __future__ import annotations

import time
from dataclasses import dataclass

from vrooli.databases import emptying
from vrooli.databases.postgres.session import Postgres
from vrooli.databases.redis.session import Redis
from vrooli.development import listeners, sample_posts, tunnels
from vrooli.development.sample_posts import SamplePost
from vrooli.environments import Environment
from vrooli.errors import PrerequisiteError, UsageError
from vrooli.events import Listener, Progress
from vrooli.kube import Kube, objects
from vrooli.kube.common_labels import COMPONENT, INSTANCE
from vrooli.release import Release, lease
from vrooli.release.records import storage
from vrooli.release.records.storage import ReleaseRecord
from vrooli.release.rollout import wait
from vrooli.steps import Done, Step, run_steps
from vrooli.workflows import advice
from vrooli.workflows.clusters import access
from vrooli.workflows.results.base import StepsResult
from vrooli.workflows.results.databases import PostView, ResetResult, SeedResult
from vrooli.workflows.safeguards.consent import CONFIRMED, Action, Consent

# What a release says of itself, whatever its name and namespace are.
ENVIRONMENT_KEY, PROTECTED = "NODE_ENV", ("staging", "production")


@dataclass(frozen=True)
class DbOptions:
    """The release whose data changes.

    Attributes:
        environment: Its environment.
        cluster: As ``--cluster`` takes it; None picks one.
    """

    environment: Environment
    cluster: str | None = None


async def reset(
    options: DbOptions, listener: Listener, consent: Consent = CONFIRMED
) -> ResetResult:
    """Delete all rows and keys of the release, and wait until it is healthy.

    Raises:
        UsageError: The environment is not dev, or the confirmation is missing.
        InterruptError: The user declined.
        PrerequisiteError: There is no release, or a deploy runs.
        VrooliError: A database refused it.
    """
    _demand_dev(options, "reset")
    began = time.monotonic()
    async with access.connect(options.cluster) as reached:
        kube, release = reached.kube, Release.of(options.environment, reached.cluster.kubeconfig)
        record = await _dev_record(options, kube, release)
        postgres, redis = await Postgres.of(kube, release), await Redis.of(kube, release)
        change = (
            f"delete all posts, pictures and other rows of PostgreSQL, and all keys of Redis, of "
            f"{release}; only a backup brings them back"
        )
        consent.demand(Action.RESET_DATA, options.environment.name, change)

        async def follow(progress: Progress) -> Done:
            return await wait.until_ready(kube, record.manifests, progress)

        steps = [
            *_emptying_steps(postgres, redis),
            Step("healthy", "Healthy release", follow, ("redis",)),
        ]
        async with lease.hold(kube, release, Progress("postgres", listener)):
            ended = await run_steps(steps, listener)
    done = StepsResult.of(ended, time.monotonic() - began)
    return ResetResult(**dict(done), release=release.name, namespace=release.namespace)


def _emptying_steps(postgres: Postgres, redis: Redis) -> list[Step]:
    async def empty_postgres(progress: Progress) -> Done:
        progress.report("deleting all rows")
        await emptying.empty_postgres(postgres)
        return Done(changed=True, detail="all rows deleted")

    async def empty_redis(progress: Progress) -> Done:
        progress.report("deleting all keys")
        return Done(changed=True, detail=f"{await emptying.empty_redis(redis)} keys deleted")

    return [
        Step("postgres", "PostgreSQL", empty_postgres),
        # After the rows, so that nothing is cached again.
        Step("redis", "Redis", empty_redis, ("postgres",)),
    ]


async def seed(options: DbOptions, listener: Listener, consent: Consent = CONFIRMED) -> SeedResult:
    """Write the sample posts that the release lacks, and wait for the verdicts.

    Raises:
        UsageError: The environment is not dev, or the confirmation is missing.
        InterruptError: The user declined.
        PrerequisiteError: The server has no ready pod.
        VrooliError: The server refused a post.
        WaitTimeoutError: A picture got no verdict in time.
    """
    _demand_dev(options, "seed")
    began = time.monotonic()
    async with access.connect(options.cluster) as reached:
        kube, release = reached.kube, Release.of(options.environment, reached.cluster.kubeconfig)
        await _dev_record(options, kube, release)
        change = f"write {len(sample_posts.POSTS)} posts to {release}, unless it has them"
        consent.demand(Action.SEED_DATA, options.environment.name, change)
        posts: list[PostView] = []

        async def write(progress: Progress) -> Done:
            found, written = await _write(kube, release, progress)
            posts[:] = [PostView(id=item.id, text=item.text, state=item.state) for item in found]
            return Done(changed=written > 0, detail=f"{written} written, {len(posts)} in all")

        ended = await run_steps([Step("posts", "Posts", write)], listener)
    done = StepsResult.of(ended, time.monotonic() - began)
    return SeedResult(
        **dict(done), release=release.name, namespace=release.namespace, posts=tuple(posts)
    )


def _demand_dev(options: DbOptions, command: str) -> None:
    if options.environment.name != "dev":
        raise UsageError(
            f"`db {command}` changes the data of the environment dev only, not of "
            f"{options.environment.name}.",
            "Use -e dev.",
        )


async def _dev_record(options: DbOptions, kube: Kube, release: Release) -> ReleaseRecord:
    """The newest revision of a release that does not say that it is another environment.

    Raises:
        PrerequisiteError: There is no release.
        UsageError: Its values make it staging or production.
    """
    record = await storage.fetch_record(kube, release)
    if record is None:
        raise PrerequisiteError(
            f"There is no release {release}.", f"{advice.install(options.environment)}."
        )
    for item in record.manifests:
        name = objects.text(item.body, "data", ENVIRONMENT_KEY)
        if item.kind == "ConfigMap" and name in PROTECTED:
            raise UsageError(
                f"{release} is {name} by its values: its data is not changed by `db`.",
                "Use the release of the environment dev.",
            )
    return record


async def _write(kube: Kube, release: Release, progress: Progress) -> tuple[list[SamplePost], int]:
    labels = f"{INSTANCE}={release.name},{COMPONENT}=server"
    place = await tunnels.find_ready(kube, release.namespace, labels, "http")
    if place is None:
        raise PrerequisiteError(
            f"{release} has no ready pod of the server.", "See `vrooli status`."
        )
    forward = await kube.port_forward(place.namespace, place.pod, place.port)
    async with forward as port:
        return await sample_posts.write(f"http://{listeners.LOOPBACK}:{port}", progress)
