"""Rotate secrets of a release: check, confirm, write to Vault, follow, prove."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from vrooli.environments import Environment
from vrooli.errors import UsageError
from vrooli.events import Listener, Progress, StepEnded
from vrooli.grammar import counted
from vrooli.kube import Kube
from vrooli.release import Release, lease
from vrooli.rotation import follow, proofs, readers, targets, values, vault_values
from vrooli.rotation.model import GENERATED, Rotated, Target, Value
from vrooli.steps import Done, Step, run_steps
from vrooli.workflows.clusters import access
from vrooli.workflows.results.base import StepsResult
from vrooli.workflows.results.databases import RotateResult, RotationView
from vrooli.workflows.safeguards import api_outages
from vrooli.workflows.safeguards.consent import CONFIRMED, Action, Consent

# How long each stage of a rotation may take, seconds: Redis pods are replaced one at a time.
STAGE_S = 900.0


@dataclass(frozen=True)
class RotateOptions:
    """The options of rotate.

    Attributes:
        environment: The environment of the release.
        secrets: The secrets to rotate, in this order.
        cluster: As ``--cluster`` takes it; None picks one.
        token: The new token of Docker Hub; empty for the other secrets.
        timeout_s: How long each stage may take, seconds.
    """

    environment: Environment
    secrets: tuple[Rotated, ...] = GENERATED
    cluster: str | None = None
    token: str = field(default="", repr=False)
    timeout_s: float = STAGE_S

    def __post_init__(self) -> None:
        if Rotated.DOCKERHUB in self.secrets and not self.token:
            raise UsageError(
                "A token of Docker Hub is required.",
                "Create one at Docker Hub, then enter it at the prompt, or pass it as the first "
                "line of standard input.",
            )


@api_outages.explained()
async def rotate(
    options: RotateOptions, listener: Listener, consent: Consent = CONFIRMED
) -> RotateResult:
    """Replace secrets by new ones, one after the other, and prove that all pods use them.

    Raises:
        UsageError: The secrets come from a file, the token is missing, or the confirmation.
        PrerequisiteError: Vault cannot be written, the rotator is not ready, or a deploy runs.
        InterruptError: The user declined.
        WaitTimeoutError: A stage took too long; the next call continues.
        VrooliError: The previous password is still accepted.
    """
    began = time.monotonic()
    async with access.connect(options.cluster) as reached:
        kube = reached.kube
        release = Release.of(options.environment, reached.cluster.kubeconfig)
        await lease.demand_free(kube, release)
        chosen = [await targets.find(kube, options.environment, name) for name in options.secrets]
        for target in chosen:  # all before the first one changes
            async with vault_values.connect(kube, target):
                pass
        consent.demand(Action.ROTATE, options.environment.name, _format_change(options, release))
        ended: list[StepEnded] = []
        views: list[RotationView] = []
        async with lease.hold(kube, release, Progress("rotate", listener)):
            for target in chosen:
                run = _Run(kube, release, target, options)
                ended += await run_steps(run.steps(), listener)
                views.append(run.view())
        steps = StepsResult.of(ended, time.monotonic() - began)
        return RotateResult(
            **dict(steps),
            release=release.name,
            namespace=release.namespace,
            secrets=tuple(views),
        )


def _format_change(options: RotateOptions, release: Release) -> str:
    """What will be done, for the prompt."""
    return (
        f"replace the secrets {', '.join(options.secrets)} of {release.name} in Vault; the pods "
        "that use them restart"
    )


class _Run:
    """The rotation of one secret."""

    def __init__(self, kube: Kube, release: Release, target: Target, options: RotateOptions):
        self._kube, self._release, self._target, self._options = kube, release, target, options
        self._value = Value("", False, {}, 0)
        self._began = time.monotonic()
        self._pods: Sequence[str] = ()
        self._pods_s = 0.0
        self._proof = ""

    def steps(self) -> list[Step]:
        """The steps, each after the one before."""
        name = self._target.name.value
        steps = [
            Step(f"{name}-value", f"{name}: value in Vault", self._write),
            Step(f"{name}-secret", f"{name}: Secret", self._publish, (f"{name}-value",)),
        ]
        if self._target.name is not Rotated.DOCKERHUB:  # no pod reads it, only the kubelet
            steps.append(Step(f"{name}-pods", f"{name}: pods", self._read, (f"{name}-secret",)))
        if self._target.rotator:
            after = (f"{name}-pods",)
            steps.append(Step(f"{name}-refusal", f"{name}: login", self._prove, after))
        return steps

    async def _write(self, progress: Progress) -> Done:
        self._began = time.monotonic()
        replacement = self._options.token if self._target.name is Rotated.DOCKERHUB else ""
        async with vault_values.connect(self._kube, self._target) as vault:
            self._value = await values.ensure(vault, self._kube, self._target, replacement)
        verb = "wrote" if self._value.is_written else "continues with"
        where = f"{self._target.mount}/{self._target.path}"
        return Done(self._value.is_written, f"{verb} version {self._value.version} of {where}")

    async def _publish(self, progress: Progress) -> Done:
        await follow.request_sync(self._kube, self._target)
        async with follow.rotator_events(self._kube, self._target, progress):
            for name in dict.fromkeys((self._target.source, self._target.published)):
                await follow.await_secret(
                    *(self._kube, self._target.namespace, name, self._is_new),
                    *(self._options.timeout_s, progress),
                )
        return Done(self._value.is_written, f"{self._target.published} has the new value")

    def _is_new(self, data: Mapping[str, str]) -> bool:
        return values.has_value(self._target.kind, data, self._value.new)

    async def _read(self, progress: Progress) -> Done:
        expected = {self._target.kind.published_key: self._value.new}
        async with follow.rotator_events(self._kube, self._target, progress):
            self._pods = await readers.await_values(
                self._kube, self._target, expected, self._options.timeout_s, progress
            )
        self._pods_s = time.monotonic() - self._began
        return Done(self._value.is_written, f"{counted(len(self._pods), 'pod')} use the new value")

    async def _prove(self, progress: Progress) -> Done:
        async with follow.rotator_events(self._kube, self._target, progress):
            await follow.await_completion(
                self._kube, self._target, self._options.timeout_s, progress
            )
        progress.report("logs in with both passwords")
        self._proof = await proofs.prove(
            self._kube, self._release, self._target, self._value.previous
        )
        return Done(False, self._proof)

    def view(self) -> RotationView:
        """The part of the result."""
        return RotationView(
            secret=self._target.name.value,
            version=self._value.version,
            continued=not self._value.is_written,
            pods=tuple(self._pods),
            pods_s=round(self._pods_s, 3),
            proof=self._proof,
        )
