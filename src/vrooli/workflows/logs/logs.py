"""Shows the logs of a release's components, line by line and with secrets masked.

The values of the namespace's Secrets and text that looks like a secret are masked. A secret that
is split over two lines is not detected.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from functools import partial

from vrooli.environments import Environment
from vrooli.errors import UsageError, VrooliError
from vrooli.events import Listener, LogLine
from vrooli.kube import Kube, Manifest
from vrooli.kube.pods import LogRange
from vrooli.redaction import Lines, Redactor
from vrooli.release import secret_redaction
from vrooli.workflows import advice, selectors
from vrooli.workflows.cancellation import until_cancelled
from vrooli.workflows.clusters import access
from vrooli.workflows.components import COMPONENTS, LOG_FILES, find_component
from vrooli.workflows.logs import text
from vrooli.workflows.logs.streams import Follower, Line, Source, read
from vrooli.workflows.results.base import Result

# Lines of each pod by default: of named components, and of all together.
TAIL, TAIL_OF_ALL = 100, 20


@dataclass(frozen=True)
class LogOptions:
    """The options of logs.

    Attributes:
        environment: The environment of the release.
        cluster: As ``--cluster`` takes it; None picks one.
        components: The components; none takes all.
        tail: The number of last lines of each pod; None takes 100, of all components 20, and with
            ``since_s`` all.
        since_s: Lines of the last so many seconds only.
        pattern: Lines that match it only, after secrets were masked.
        follow: Whether new lines are shown as they arrive, those of later pods included.
        readable: Whether records in JSON are shown as text.
    """

    environment: Environment
    cluster: str | None = None
    components: tuple[str, ...] = ()
    tail: int | None = None
    since_s: int | None = None
    pattern: re.Pattern[str] | None = None
    follow: bool = False
    readable: bool = True

    @property
    def part(self) -> LogRange:
        """The part of each log that is read first."""
        tail = self.tail
        if tail is None and self.since_s is None:
            tail = TAIL if self.components else TAIL_OF_ALL
        return LogRange(tail=tail, since_s=self.since_s)


async def release_logs(options: LogOptions, listener: Listener) -> Result:
    """Report the last log lines of components; with ``follow``, all further ones until cancelled.

    Raises:
        UsageError: There is no such component, or it has no pods.
        PrerequisiteError: The cluster is not running.
    """
    environment = options.environment
    parts = {name: find_component(name) for name in options.components or COMPONENTS}
    async with access.connect(options.cluster) as reached:
        labels = await selectors.fetch(reached.kube, environment, parts)
        sources = {
            name: Source(environment.namespace, labels[name], part.container, (LOG_FILES,))
            for name, part in parts.items()
        }
        pods = await _pods(reached.kube, sources)
        _demand_pods(options, pods)
        known = await secret_redaction.fetch_values(reached.kube, environment.namespace)
        output = _Output(options, Redactor(known), listener)
        if options.follow:
            redactors = secret_redaction.follow(reached.kube, environment.namespace, known)
            await until_cancelled(_follow_all(reached.kube, sources, pods, output, redactors))
        else:
            await _report_all(reached.kube, sources, pods, output)
    return Result()


async def _follow_all(
    kube: Kube,
    sources: Mapping[str, Source],
    pods: Mapping[str, list[Manifest]],
    output: _Output,
    redactors: AsyncIterator[Redactor],
) -> None:
    """Report the lines of all pods as they are written."""
    async with asyncio.TaskGroup() as group:
        group.create_task(output.renew(redactors))
        for name, source in sources.items():
            on_line = partial(output.take, name)
            follower = Follower(kube, source, output.options.part, on_line)
            group.create_task(follower.run(pods[name]))


async def _pods(kube: Kube, sources: Mapping[str, Source]) -> dict[str, list[Manifest]]:
    """The pods of each component."""
    async with asyncio.TaskGroup() as group:
        tasks = {
            name: group.create_task(kube.list("v1", "Pod", source.namespace, source.labels))
            for name, source in sources.items()
        }
    return {name: task.result() for name, task in tasks.items()}


def _demand_pods(options: LogOptions, pods: Mapping[str, list[Manifest]]) -> None:
    """Refuse components that have no pods: all of them, if none was named."""
    environment = options.environment
    missing = [name for name in options.components if not pods[name]]
    if missing or not any(pods.values()):
        of = f" of {', '.join(missing)}" if missing else ""
        raise UsageError(
            f"{environment.release} has no pods{of} in {environment.namespace}.",
            f"See `vrooli status`. If the release does not exist, {advice.install(environment)}.",
        )


async def _report_all(
    kube: Kube,
    sources: Mapping[str, Source],
    pods: Mapping[str, list[Manifest]],
    output: _Output,
) -> None:
    """Report what the logs of all pods have now, in the order of its time.

    Raises:
        VrooliError: None of the logs can be read; of several, one that cannot is a line.
    """
    lines: list[tuple[str, Line]] = []
    errors: list[VrooliError] = []

    async def one(name: str, pod: str, container: str) -> None:
        try:
            content = await read(kube, sources[name], pod, container, part)
            lines.extend((name, line) for line in content)
        except VrooliError as error:
            errors.append(error)
            lines.append((name, Line("", pod, container, f"no log: {error.message}")))

    part = output.options.part
    logs = [
        (name, pod["metadata"]["name"], container)
        for name in pods
        for pod in pods[name]
        for container in sources[name].containers_of(pod)
    ]
    async with asyncio.TaskGroup() as group:
        for log in logs:
            group.create_task(one(*log))
    if len(errors) == len(logs):
        raise errors[0]
    for name, line in sorted(lines, key=lambda item: item[1].time):
        output.take(name, line)


class _Output:
    """Masks, selects and reports lines."""

    def __init__(self, options: LogOptions, redactor: Redactor, listener: Listener) -> None:
        self.options, self._redactor, self._listener = options, redactor, listener
        self._masking: dict[tuple[str, str], Lines] = {}

    async def renew(self, redactors: AsyncIterator[Redactor]) -> None:
        """Mask with each of these redactors from its arrival on."""
        async for redactor in redactors:
            self._redactor = redactor
            for masking in self._masking.values():
                masking.use(redactor)

    def take(self, component: str, line: Line) -> None:
        """Take a line of a component."""
        masking = self._masking.setdefault((line.pod, line.container), Lines(self._redactor))
        masked = masking.next(line.text)
        if self.options.pattern is not None and not self.options.pattern.search(masked):
            return
        for part in text.readable(masked) if self.options.readable else [masked]:
            self._listener(LogLine(line.pod, part, component))
