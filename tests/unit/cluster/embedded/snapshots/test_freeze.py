"""A copy of a running cluster freezes it, and its nodes stay ready after a long copy."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from support.cluster.embedded_samples import layout
from vrooli.cluster.embedded.host.suspension import SHORTEST_S
from vrooli.cluster.embedded.snapshots import create


@pytest.mark.parametrize(
    ("length_s", "expected"),
    [(SHORTEST_S - 1, ["freeze", "thaw"]), (SHORTEST_S, ["freeze", "restart", "thaw"])],
)
async def test_the_heartbeat_monitor_is_restarted_only_after_a_long_copy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, length_s: float, expected: list[str]
) -> None:
    acts: list[str] = []
    place, clock = layout(tmp_path), [100.0]
    place.run.mkdir(parents=True)

    async def freeze() -> None:
        acts.append("freeze")

    freezing = SimpleNamespace(freeze=freeze, thaw=lambda: acts.append("thaw"))
    monkeypatch.setattr(create, "holder", lambda lock: 1)
    monkeypatch.setattr(create.freezer, "is_frozen", lambda name: False)
    monkeypatch.setattr(create.freezer, "demand", lambda name: freezing)
    monkeypatch.setattr(
        create.pause, "restart_heartbeat_monitor", lambda layout: acts.append("restart")
    )
    now = SimpleNamespace(time=lambda: 0.0, monotonic=lambda: clock[0])
    monkeypatch.setattr(create, "time", now)
    async with create.frozen(place):
        clock[0] += length_s
    assert acts == expected
