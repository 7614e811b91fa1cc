"""Set the number of pods of a component, and keep it for the next deploys."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass

from vrooli import shell
from vrooli.chart import values as chart_values
from vrooli.checks import preflight
from vrooli.checks.nodes import capacity
from vrooli.checks.preflight import NotDeployableError
from vrooli.databases.redis.session import Redis
from vrooli.errors import PrerequisiteError, UsageError
from vrooli.events import Listener, Progress
from vrooli.grammar import counted
from vrooli.kube.objects import mapping
from vrooli.release import overrides
from vrooli.release.overrides import Overrides
from vrooli.steps import Done
from vrooli.workflows.change_view import override_view, view
from vrooli.workflows.results.base import StepsResult
from vrooli.workflows.results.releases import ScaleResult
from vrooli.workflows.safeguards import api_outages
from vrooli.workflows.safeguards.consent import CONFIRMED, Action, Consent
from vrooli.workflows.scaling.values_change import (
    Deployed,
    Edit,
    ValuesChange,
    ValuesOptions,
    carry_out,
    deployed,
    value_at,
)


@dataclass(frozen=True)
class Component:
    """A component whose number of pods can be set.

    Attributes:
        path: The value with the number.
        enabled: The value that deploys the component.
        service: The key of a service of the application; empty for a database.
        workload: The suffix of its workload in the check of the capacity.
        least: The least number of pods.
    """

    path: str
    enabled: str
    service: str = ""
    workload: str = ""
    least: int = 0


def _service(key: str, name: str) -> Component:
    return Component(f"replicaCount.{key}", f"services.{key}.enabled", key, f"-{name}")


COMPONENTS: Mapping[str, Component] = {
    "ui": _service("ui", "ui"),
    "server": _service("server", "server"),
    "jobs": _service("jobs", "jobs"),
    "nsfw-detector": _service("nsfwDetector", "nsfw-detector"),
    "adminer": _service("adminer", "adminer"),
    "postgres": Component(
        "pgoPostgresql.instances", "pgoPostgresql.enabled", workload=" instance", least=1
    ),
    "pgbouncer": Component(
        "pgoPostgresql.pgBouncer.replicas",
        "pgoPostgresql.enabled",
        workload=" pgbouncer",
        least=1,
    ),
    "redis": Component(
        "spotahomeRedis.redis.replicas", "spotahomeRedis.enabled", workload=" redis", least=1
    ),
    "sentinel": Component(
        "spotahomeRedis.sentinel.replicas",
        "spotahomeRedis.enabled",
        workload=" sentinel",
        least=1,
    ),
}


@dataclass(frozen=True)
class Target:
    """What is scaled, and to what.

    Attributes:
        name: The name of the component.
        path: The value that is set.
        before: The current value.
        after: The new value; None removes the override.
        is_autoscaled: Whether it is the minimum of an autoscaler.
    """

    name: str
    path: str
    before: int
    after: int | None
    is_autoscaled: bool

    @property
    def component(self) -> Component:
        """The component."""
        return COMPONENTS[self.name]


@api_outages.explained()
async def scale(
    options: ValuesOptions,
    name: str,
    replicas: int | None,
    listener: Listener,
    consent: Consent = CONFIRMED,
) -> ScaleResult:
    """Scale a component and wait until the release is ready.

    Args:
        options: Which release, and how long it may take.
        name: The name of the component.
        replicas: The number of pods; None takes that of the values without the override.
        listener: Receives what happens.
        consent: How it is confirmed.

    Raises:
        UsageError: There is no such component, or it can't have this number of pods.
        PrerequisiteError: The release isn't deployed, or a deploy runs.
        NotDeployableError: The nodes have no room for the pods; nothing was changed.
        DeployFailedError: The release did not become ready, and was rolled back.
    """
    began = time.monotonic()
    demand_component(name)
    async with deployed(options) as state:
        target = find_target(name, replicas, state)
        run = _Scaling(options, state, target)
        await _demand_master_stays(state, target, run.after)
        action = Action.SCALE_TO_ZERO if target.after == 0 else Action.SCALE
        ended = await carry_out(run, action, listener, consent)
        stored = await overrides.fetch(run.kube, run.release)
    return run.result(StepsResult.of(ended, time.monotonic() - began), stored)


def demand_component(name: str) -> None:
    """Refuse an unknown component.

    Raises:
        UsageError: There is no component of that name.
    """
    if name not in COMPONENTS:
        raise UsageError(
            f"There is no component {name!r} that can be scaled.",
            f"Choose one of: {', '.join(COMPONENTS)}.",
        )


def find_target(name: str, replicas: int | None, state: Deployed) -> Target:
    """The value to set, by the values of the release.

    Raises:
        UsageError: The component can't have this number of pods.
        PrerequisiteError: The release does not deploy the component.
    """
    component, values = COMPONENTS[name], state.values
    if not value_at(values, component.enabled):
        raise PrerequisiteError(
            f"{state.release.name} does not deploy {name}: {component.enabled} is false.",
            "Deploy it first, with the value set to true.",
        )
    autoscaling = mapping(values, "services", component.service, "autoscaling")
    if autoscaling.get("enabled") or (autoscaling.get("keda") or {}).get("enabled"):
        path = f"services.{component.service}.autoscaling.minReplicas"
        _demand_range(name, replicas, 1, int(autoscaling["maxReplicas"]))
        return Target(name, path, int(autoscaling["minReplicas"]), replicas, True)
    _demand_range(name, replicas, component.least, None)
    return Target(name, component.path, int(value_at(values, component.path)), replicas, False)


def _demand_range(name: str, replicas: int | None, least: int, most: int | None) -> None:
    if replicas is None or (replicas >= least and (most is None or replicas <= most)):
        return
    if most is not None:
        raise UsageError(
            f"{name} is autoscaled to at most {most} pods, so its minimum can be 1 to {most}, "
            f"not {replicas}.",
            "To change the maximum, set autoscaling.maxReplicas in the values and deploy.",
        )
    raise UsageError(f"{name} needs at least {counted(least, 'pod')}, not {replicas}.")


async def _demand_master_stays(state: Deployed, target: Target, after: int) -> None:
    """Refuse to remove the pod of the Redis master: those with the highest numbers are removed.

    Raises:
        PrerequisiteError: It would be removed.
    """
    if target.name != "redis" or after >= target.before:
        return
    master = (await Redis.of(state.reached.kube, state.release)).master
    pod = (await master()).name
    if int(pod.rpartition("-")[2]) >= after:
        first = f"{pod.rpartition('-')[0]}-0"
        raise PrerequisiteError(
            f"Scaling redis to {after} would remove {pod}, the master.",
            f"Run `vrooli switchover redis --to {shell.name(first)}` first.",
        )


class _Scaling(ValuesChange):
    """The steps of one scaling."""

    def __init__(self, options: ValuesOptions, state: Deployed, target: Target) -> None:
        self.target = target
        words = f"vrooli scale {target.name} "
        environment = f"-e {options.environment.name}"
        if target.after is None:
            edit = Edit(f"{words}--reset {environment}", reset=(target.path,))
        else:
            edit = Edit(f"{words}{target.after} {environment}", {target.path: target.after})
        super().__init__(options, state, edit, "")
        effective = chart_values.merge(mapping(state.source.chart, "values"), self.values)
        self.after = int(value_at(effective, target.path))
        what = f"the minimum of {target.name}" if target.is_autoscaled else target.name
        self.summary = f"scale {what} of {state.release} from {target.before} to {self.after}"

    def result(self, done: StepsResult, stored: Overrides) -> ScaleResult:
        """The result of the steps, with the overrides that the release has now."""
        return ScaleResult(
            **dict(done),
            environment=self.options.environment.name,
            release=self.release.name,
            namespace=self.release.namespace,
            component=self.target.name,
            before=self.target.before,
            after=self.after,
            autoscaled=self.target.is_autoscaled,
            revision=self.applied.revision,
            changes=tuple(map(view, self.changes)),
            overrides=tuple(map(override_view, stored.entries)),
        )

    async def check(self, progress: Progress) -> Done:
        """Run the preflight checks, and check that the nodes have room for the pods."""
        done = await super().check(progress)
        if self.after > self.target.before:
            await self._demand_capacity()
        return done

    async def _demand_capacity(self) -> None:
        suffix = self.target.component.workload
        findings = await preflight.run(
            self.kube, self.release.namespace, self.manifests, checks=(capacity.CHECK,)
        )
        for item in findings:
            if item.resource.endswith(suffix):
                raise NotDeployableError(
                    f"{self.target.name} cannot be scaled to {self.after}; nothing was changed: "
                    f"{item.message}",
                    "Add a node, remove other pods, or choose a smaller number. See what is "
                    f"requested: `{item.command}`.",
                )
