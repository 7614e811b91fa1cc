"""A run of develop with other values for some pods, which its end takes back.

The pods are those of the release. So a release without these values, which the command makes at its
end, and every `develop` makes, brings the images back.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from typing import ClassVar

from vrooli.chart import values as chart_values
from vrooli.development import overlay
from vrooli.errors import PrerequisiteError, VrooliError, WaitTimeoutError
from vrooli.events import Event, Listener, LogLine, Progress, StepEnded
from vrooli.kube.objects import mapping
from vrooli.release import lease, process_identity
from vrooli.release.records import storage
from vrooli.steps import REPEAT_S, Done, Step, first_error
from vrooli.workflows.clusters.selection import Choice
from vrooli.workflows.development import develop
from vrooli.workflows.development.run import DevelopRun
from vrooli.workflows.options import DevelopOptions
from vrooli.workflows.safeguards import replacement
from vrooli.workflows.safeguards.consent import CONFIRMED, Consent

# How long the release may take to run its images again, seconds.
RESTORE_S = 300.0
# The interval of checks whether another deploy still runs, seconds.
TURN_S = 2.0


class OverlayRun(DevelopRun):
    """The steps of a run with other values for some pods until it ends.

    Attributes:
        is_edited: Whether pods may have these values.
        ended: The steps of the last release.
    """

    # The source of its messages, and the last one.
    NAME: ClassVar[str]
    ENDED: ClassVar[str]

    def __init__(
        self,
        options: DevelopOptions,
        choice: Choice,
        exits: contextlib.AsyncExitStack,
        listener: Listener,
    ) -> None:
        super().__init__(options, choice, exits)
        self.is_edited = False
        self.ended: list[StepEnded] = []
        self._listener = listener
        self._group: asyncio.TaskGroup | None = None

    def overlay(self) -> chart_values.Values:
        """The values of the pods; none at the end."""
        if self._group is None:
            return {}
        self.is_edited = True
        return self.edited_values()

    def edited_values(self) -> chart_values.Values:
        """The values of the pods."""
        raise NotImplementedError

    async def work(self, consent: Consent) -> None:
        """Do the work of the command until cancelled; the release is up."""
        raise NotImplementedError

    async def run(self, consent: Consent) -> None:
        """Bring everything up, work until cancelled, and run the built images again.

        Raises:
            VrooliError: The first error.
        """
        try:
            await self._run(consent)
        except asyncio.CancelledError:
            if not self.is_edited:
                raise
            if (task := asyncio.current_task()) is not None:
                task.uncancel()  # the normal end
        except BaseException:
            if self.is_edited:
                await self.restore()
            raise
        await self.restore()

    async def _run(self, consent: Consent) -> None:
        try:
            async with asyncio.TaskGroup() as self._group:
                self.ended = await develop.bring_up(self, self._listener, consent)
                await self.work(consent)
        except* VrooliError as errors:
            raise first_error(errors) from errors
        finally:
            self._group = None

    async def deploy(self, consent: Consent, names: list[str], *, restores: bool = False) -> bool:
        """Build some images, and deploy the chart.

        Returns:
            Whether it did; to restore the images it does not if another deploy has.
        """

        async def build(progress: Progress) -> Done:
            return await self.machine.build(names, progress)

        load = Step("load", "Images into the cluster", self.load_images, ("images",))
        prepare = [Step("images", f"Images {', '.join(names)}", build), load] if names else []
        after = ("load",) if names else ()
        steps = [
            *prepare,
            Step("release", "Helm release", self.ensure_release, after),
            Step("healthy", "Healthy release", self.follow_release, ("release",)),
        ]
        agreed = self.applied.revision
        await self._await_turn()
        async with (
            self.choice.turn(self._listener),
            lease.hold(self.kube, self.release, Progress("release", self._listener)),
        ):
            if restores and not await self._runs_edited_pods():
                return False
            environment = self.options.environment
            await replacement.check_again(self.kube, self.release, environment, consent, agreed)
            self.ended = await self.hold(steps, self._listener)
        return True

    async def _runs_edited_pods(self) -> bool:
        """Whether the newest revision has pods that depend on this process."""
        record = await storage.fetch_record(self.kube, self.release)
        bodies = (item.body for item in record.manifests) if record else ()
        templates = (mapping(body, "spec", "template") for body in bodies)
        return process_identity.process() in overlay.watchers(templates)

    async def _await_turn(self) -> None:
        """Wait until no other deploy of the release runs."""
        reported = -REPEAT_S
        while True:
            try:
                return await lease.demand_free(self.kube, self.release)
            except PrerequisiteError as error:
                if time.monotonic() - reported >= REPEAT_S:
                    self.print(f"{error.message} This deploy follows.")
                    reported = time.monotonic()
            await asyncio.sleep(TURN_S)

    async def restore(self) -> None:
        """Run the images again that were built before and during the run."""
        terminal = self._listener

        def report(event: Event) -> None:
            with contextlib.suppress(OSError):  # the terminal may be gone
                terminal(event)

        self._listener = report
        self.print("Running the built images again. A second Ctrl-C leaves the pods as they are.")
        try:
            async with asyncio.timeout(RESTORE_S):
                is_restored = await self.deploy(CONFIRMED, [], restores=True)
        except TimeoutError:
            raise WaitTimeoutError(
                f"{self.release.name} did not run the built images within {RESTORE_S:.0f} s.",
                "Run `vrooli develop`: it builds the images and runs them.",
            ) from None
        if not is_restored:
            self.print(
                f"The newest revision of {self.release.name} has no pods of this command, so it "
                "is left as it is."
            )
            return
        self.print(self.ENDED)

    def print(self, text: str) -> None:
        """Print a line of the command."""
        self._listener(LogLine(self.NAME, text))
