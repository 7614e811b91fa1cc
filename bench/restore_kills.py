"""Kill `vrooli restore` at random moments under writes, undo it, and compare the rows.

    PYTHONPATH=tests uv run python bench/restore_kills.py                  # 10 kills in dev
    PYTHONPATH=tests uv run python bench/restore_kills.py --kills 3 --cluster embedded:other

A client writes numbered rows through the pool, 20 in a second. After each kill, rows must still be
acknowledged. Then `vrooli restore --undo` must succeed, and all rows must be there that were
acknowledged before the restore. Of later ones, a single range may be missing: those between the
switch and the undo.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import random
import signal
import sys
import time
from dataclasses import asdict, dataclass

from support.release.moments import Writer, writing
from vrooli.databases.postgres.session import Postgres
from vrooli.environments import environment
from vrooli.kube import Kube
from vrooli.release.model import Release
from vrooli.workflows.clusters import access

UNDO_S = 600.0
# How an undo ends: it has undone, or says that there is nothing to undo.
UNDONE, NOTHING = "undone", "There is no restore of PostgreSQL"


@dataclass(frozen=True)
class Outcome:
    """A killed restore: when, in which step, how its undo ended, and the rows after it."""

    killed_after_s: float
    step: str
    undo: str
    undo_s: float
    rows: int
    missing: int
    is_right: bool


def command(options: argparse.Namespace, *words: str) -> list[str]:
    """A restore of the release."""
    where = ["--cluster", options.cluster] if options.cluster else []
    program = [sys.executable, "-P", "-m", "vrooli", "restore", *words]
    return [*program, "-e", options.environment, *where, "--yes"]


async def kill_restore(options: argparse.Namespace, at: str, after_s: float) -> str:
    """Start a restore and kill it; returns its last step."""
    process = await asyncio.create_subprocess_exec(
        *command(options, "--to", at),
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
        start_new_session=True,
    )
    asyncio.get_running_loop().call_later(after_s, _kill, process)
    _, output = await process.communicate()
    started = [line for line in output.decode().splitlines() if line.endswith("…")]
    return started[-1].split("] ")[-1].removesuffix(" …") if started else ""


def _kill(process: asyncio.subprocess.Process) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


async def undo(options: argparse.Namespace) -> str:
    """Undo the restore; a lock of the killed command ends after half a minute."""
    process = await asyncio.create_subprocess_exec(
        *command(options, "--undo"),
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(UNDO_S):
        _, output = await process.communicate()
    text = output.decode()
    if process.returncode == 0:
        return UNDONE
    return NOTHING if NOTHING in text else text.strip().splitlines()[-1]


async def measure(options: argparse.Namespace, writer: Writer) -> Outcome:
    """Kill one restore, undo it, and compare the rows."""
    await writer.wait_for(20)
    _, at = await writer.moment()
    await writer.wait_for(20)
    before = writer.acknowledged[-1]
    after_s = round(random.uniform(options.least, options.most), 1)  # noqa: S311 - not a secret
    step = await kill_restore(options, at, after_s)
    await writer.wait_for(5)
    began = time.monotonic()
    ended = await undo(options)
    undo_s = round(time.monotonic() - began, 1)
    await writer.wait_for(5)
    acknowledged = list(writer.acknowledged)
    present = await writer.present()
    missing = [number for number in acknowledged if number not in present]
    first = acknowledged.index(missing[0]) if missing else 0
    is_one_gap = missing == acknowledged[first : first + len(missing)]
    is_later = not missing or missing[0] > before
    is_right = ended in (UNDONE, NOTHING) and is_one_gap and is_later
    return Outcome(after_s, step, ended, undo_s, len(present), len(missing), is_right)


async def run(options: argparse.Namespace) -> list[Outcome]:
    """Kill restores one after another, each with a table of its own."""
    outcomes: list[Outcome] = []
    async with access.connect(options.cluster) as reached:
        kube: Kube = reached.kube
        release = Release.of(environment(options.environment), reached.cluster.kubeconfig)
        for _ in range(options.kills):
            async with writing(await Postgres.of(kube, release)) as writer:
                outcomes.append(await measure(options, writer))
            print(json.dumps(asdict(outcomes[-1])), flush=True)
    return outcomes


def main() -> None:
    """Measure, and exit with 1 if a result is wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cluster", help="as `vrooli --cluster` takes it")
    parser.add_argument("--environment", "-e", default="dev")
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--least", type=float, default=2.0, help="the first moment, seconds")
    parser.add_argument("--most", type=float, default=60.0, help="the last moment, seconds")
    outcomes = asyncio.run(run(parser.parse_args()))
    right = sum(item.is_right for item in outcomes)
    print(json.dumps({"right": right, "of": len(outcomes)}), flush=True)
    sys.exit(right != len(outcomes))


if __name__ == "__main__":
    main()
