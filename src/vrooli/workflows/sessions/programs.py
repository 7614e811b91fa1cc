"""Programs in the pods of a release, for people: shells, psql and redis-cli."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from vrooli import shell as words_of
from vrooli.databases.postgres import console as psql_console
from vrooli.databases.postgres.session import Postgres
from vrooli.databases.redis import console as redis_console
from vrooli.databases.redis.session import Redis
from vrooli.environments import Environment
from vrooli.errors import UsageError, VrooliError
from vrooli.events import Listener
from vrooli.kube import Kube, Manifest
from vrooli.kube.attachment import Streams
from vrooli.kube.execution import Program, StartError
from vrooli.kube.objects import labels, name, text
from vrooli.kube.status import is_pod_ready
from vrooli.release.model import Release
from vrooli.workflows import advice, selectors
from vrooli.workflows.clusters import access
from vrooli.workflows.components import COMPONENTS, Component, find_component
from vrooli.workflows.results.sessions import ProgramResult

# The exit code of `timeout` of coreutils when it has stopped a program, and of a shell for a
# program that does not exist.
TIMED_OUT = 124
# bash if the container has it, else its sh. Both expand variables in their prompt.
_SHELL = (
    'export PS1="[$1] \\$PWD \\$ " HISTFILE=/dev/null; '
    "command -v bash >/dev/null 2>&1 && exec bash --norc --noprofile -i; exec sh -i"
)


class Capturing(Streams, Protocol):
    """Streams that may keep the outputs."""

    def outputs(self) -> tuple[str | None, str | None]:
        """Standard output and standard error; None if they were written."""


@dataclass(frozen=True)
class SessionOptions:
    """The options that sessions share.

    Attributes:
        environment: The environment of the release.
        cluster: As ``--cluster`` takes it; None picks one.
        read_only: Whether the session is protected from accidental writes.
    """

    environment: Environment
    cluster: str | None = None
    read_only: bool = False


async def shell(
    options: SessionOptions,
    component: str,
    command: Sequence[str],
    pod: str | None,
    streams: Capturing,
    listener: Listener,
) -> ProgramResult:
    """Run a command, or a shell, in the container of a component.

    Raises:
        UsageError: There is no such component, or it has no such running pod.
        PrerequisiteError: The cluster is not running.
        StartError: The container has no shell, or no such program.
    """
    del listener
    part = find_component(component)
    async with access.connect(options.cluster) as reached:
        chosen = await choose_pod(reached.kube, options.environment, component, pod)
        marker = f"{options.environment.name} {component}"
        argv = list(command) or ["sh", "-c", _SHELL, "sh", marker]
        program = Program(options.environment.namespace, chosen, part.container, argv)
        try:
            return await _run(reached.kube, program, streams, options)
        except StartError as error:
            raise _no_program(program, error, has_command=bool(command)) from error


async def psql(
    options: SessionOptions,
    sql: str | None,
    database: str | None,
    limit_s: float,
    streams: Capturing,
    listener: Listener,
) -> ProgramResult:
    """Run SQL, or psql, in the primary of PostgreSQL.

    Raises:
        PrerequisiteError: The cluster is not running, or there is no primary.
        VrooliError: The statements took too long.
    """
    del listener
    async with access.connect(options.cluster) as reached:
        release = Release.of(options.environment, reached.cluster.kubeconfig)
        postgres = await Postgres.of(reached.kube, release)
        where = database or psql_console.database_of(postgres)
        read_only = options.read_only
        if sql is None:
            marker = options.environment.name + (" read-only" if read_only else "")
            program = await psql_console.console(postgres, where, marker, read_only=read_only)
        else:
            program = await psql_console.statements(
                postgres, where, sql, read_only=read_only, limit_s=limit_s
            )
        result = await _run(reached.kube, program, streams, options)
    if sql is not None and result.exit_status == TIMED_OUT:
        raise VrooliError(
            f"The statements did not end within {limit_s:g} s and were stopped.",
            "Set another limit with --timeout.",
        )
    return result


async def redis_cli(
    options: SessionOptions, words: Sequence[str], streams: Capturing, listener: Listener
) -> ProgramResult:
    """Run a command of Redis, or redis-cli, in the master of Redis.

    Raises:
        PrerequisiteError: The cluster is not running, or there is no master.
    """
    del listener
    async with access.connect(options.cluster) as reached:
        release = Release.of(options.environment, reached.cluster.kubeconfig)
        redis = await Redis.of(reached.kube, release)
        program = await redis_console.console(redis, words, read_only=options.read_only)
        return await _run(reached.kube, program, streams, options)


async def _run(
    kube: Kube, program: Program, streams: Capturing, options: SessionOptions
) -> ProgramResult:
    if streams.is_terminal:
        banner = (
            f"{options.environment.name}: pod {program.pod} in namespace {program.namespace}"
            f"{', read-only' if options.read_only else ''}\n"
        )
        streams.write(banner.encode(), is_error=True)
    exit_status = await kube.attach_program(program, streams)
    stdout, stderr = streams.outputs()
    return ProgramResult(
        ok=exit_status == 0,
        namespace=program.namespace,
        pod=program.pod,
        container=program.container,
        exit_status=exit_status,
        stdout=stdout,
        stderr=stderr,
    )


async def fetch_pods(options: SessionOptions, component: str) -> list[str]:
    """The names of the running pods of a component.

    Raises:
        VrooliError: The cluster is not running, or its pods can't be listed.
    """
    async with access.connect(options.cluster) as reached:
        return sorted(map(name, await _running(reached.kube, options.environment, component)))


async def choose_pod(
    kube: Kube, environment: Environment, component: str, requested: str | None = None
) -> str:
    """The named pod of a component, or its best one: the leader, then ready ones, then new ones."""
    part = COMPONENTS[component]
    running = await _running(kube, environment, component)
    names = sorted(map(name, running))
    if not running:
        raise UsageError(
            f"{environment.release} has no running pod of {component} in {environment.namespace}.",
            f"See `vrooli status`. If the release does not exist, {advice.install(environment)}.",
        )
    if requested is None:
        return name(max(running, key=lambda body: _rank(part, body)))
    if requested not in names:
        raise UsageError(
            f"{component} has no running pod {requested!r}.", f"Use one of: {', '.join(names)}."
        )
    return requested


async def _running(kube: Kube, environment: Environment, component: str) -> list[Manifest]:
    labels = await selectors.fetch(kube, environment, [component])
    bodies = await kube.list("v1", "Pod", environment.namespace, labels[component])
    return [body for body in bodies if text(body, "status", "phase") == "Running"]


def _rank(component: Component, body: Manifest) -> tuple[bool, bool, str]:
    role = text(labels(body), component.leader_label)
    return (
        bool(component.leader_label) and role in component.leader_roles,
        is_pod_ready(body) and not text(body, "metadata", "deletionTimestamp"),
        text(body, "metadata", "creationTimestamp"),
    )


def _no_program(program: Program, error: StartError, *, has_command: bool) -> StartError:
    if has_command:
        return StartError(
            error.message, "Check that the container contains the program, and its path."
        )
    debug = (
        f"kubectl debug --stdin --tty --namespace {words_of.label(program.namespace)} "
        f"{words_of.name(program.pod)} --target {words_of.label(program.container)} "
        "--profile restricted --image IMAGE"
    )
    return StartError(
        f"Container {program.container} of pod {program.namespace}/{program.pod} has no shell: "
        f"{error.message}",
        words_of.checked(
            f"Add a temporary container with one to the pod: `{debug}`. Replace IMAGE by an image "
            "with a shell that the node has or can pull."
        ),
    )
