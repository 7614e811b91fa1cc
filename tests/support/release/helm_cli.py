"""The plain helm program, as people use the chart who know nothing else of this project."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from vrooli import process, programs
from vrooli.events import Progress
from vrooli.release import Release

SUPPORT = Path(__file__).parent
# Values of a second release beside the live one: as little as keeps data, and the page alone.
SMALL = SUPPORT / "plain-helm-values.yaml"
PAGE_ONLY = SUPPORT / "page-only-values.yaml"
# The limit of one command, seconds; helm's own, for what it waits for, is a little less.
HELM_S = 420.0
WAIT = ("--wait", "--timeout", "400s")


@dataclass(frozen=True)
class PlainHelm:
    """A helm program on one release.

    Attributes:
        program: Which: helm or helm3.
        release: The release.
    """

    program: str
    release: Release

    async def lint(self, chart: Path, *values: Path) -> str:
        """``helm lint --strict``."""
        return await self._run("lint", "--strict", chart, *_files(values))

    async def install(self, chart: Path, *values: Path) -> str:
        """``helm install``, until all is ready that Helm knows."""
        return await self._run(
            "install", self.release.name, chart, *_files(values), "--create-namespace", *WAIT
        )

    async def upgrade(self, chart: Path, *values: Path) -> str:
        """``helm upgrade``, until all is ready that Helm knows."""
        return await self._run("upgrade", self.release.name, chart, *_files(values), *WAIT)

    async def rollback(self, revision: int) -> str:
        """``helm rollback`` to a revision."""
        return await self._run("rollback", self.release.name, str(revision), *WAIT)

    async def test(self) -> str:
        """``helm test``: the chart's own tests."""
        return await self._run("test", self.release.name)

    async def uninstall(self, *options: str) -> str:
        """``helm uninstall``, until all is gone that Helm made."""
        return await self._run("uninstall", self.release.name, *options, *WAIT)

    async def _run(self, *words: str | Path) -> str:
        path = (await programs.ensure([self.program], Progress()))[self.program]
        answer = await process.run(
            [path, *words, "--namespace", self.release.namespace],
            env={"KUBECONFIG": str(self.release.kubeconfig)},
            timeout_s=HELM_S,
        )
        return answer.output


def _files(values: Sequence[Path]) -> list[str | Path]:
    return [word for path in values for word in ("--values", path)]
