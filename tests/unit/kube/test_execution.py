"""Programs in containers: their input in pieces, both outputs, and their end."""

from __future__ import annotations

import pytest

from support.fakes.cluster import FakeCluster
from vrooli.errors import VrooliError
from vrooli.kube import ApiError, execution
from vrooli.kube.execution import CHUNK, Completed, Program

pytestmark = pytest.mark.anyio


def cluster_with(completed: Completed) -> FakeCluster:
    cluster = FakeCluster()
    cluster.server.programs.handlers["dev", "pod", "main"] = lambda program: completed
    return cluster


@pytest.mark.parametrize("protocol", ["v5.channel.k8s.io", "v4.channel.k8s.io"])
async def test_a_large_input_arrives_complete(protocol: str) -> None:
    cluster = cluster_with(Completed(0, "out", "err"))
    cluster.server.programs.protocol = protocol
    data = b"x" * (2 * CHUNK + 1)
    completed = await cluster.run_program(Program("dev", "pod", "main", ["cat"], data))
    assert completed == Completed(0, "out", "err")
    (program,) = cluster.server.programs.ran
    assert program.stdin == data


async def test_an_exit_code_is_returned_with_both_outputs() -> None:
    cluster = cluster_with(Completed(3, "some", "why"))
    completed = await cluster.run_program(Program("dev", "pod", "main", ["false"]))
    assert completed == Completed(3, "some", "why")


async def test_a_program_that_is_not_started_is_an_error_without_its_input() -> None:
    cluster = cluster_with(Completed(0, "", ""))
    cluster.server.programs.failure = "no such file or directory"
    program = Program("dev", "pod", "main", ["absent"], b"secret")
    with pytest.raises(VrooliError, match="no such file") as error:
        await cluster.run_program(program)
    assert "secret" not in f"{error.value.message} {program!r} {program}"


@pytest.mark.parametrize(("status", "is_forbidden"), [(403, True), (404, False)])
async def test_a_refusal_has_its_status(status: int, is_forbidden: bool) -> None:
    cluster = cluster_with(Completed(0, "", ""))
    cluster.server.programs.refusal = status
    with pytest.raises(ApiError) as error:
        await cluster.run_program(Program("dev", "pod", "main", ["true"]))
    assert (error.value.status, error.value.is_forbidden) == (status, is_forbidden)


async def test_an_output_without_end_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(execution, "MOST", 10)
    cluster = cluster_with(Completed(0, "x" * 6, "y" * 5))
    with pytest.raises(VrooliError, match="larger than 10 bytes"):
        await cluster.run_program(Program("dev", "pod", "main", ["yes"]))


async def test_a_short_output_is_read_without_an_input() -> None:
    cluster = cluster_with(Completed(0, "some", "noise"))
    cluster.server.programs.protocol = "v4.channel.k8s.io"
    assert await cluster.exec("dev", "pod", ["cat", "file"], "main") == "some"


@pytest.mark.parametrize("outputs", [("x" * 11, ""), ("", "y" * 11)])
async def test_a_long_output_without_an_input_is_an_error(outputs: tuple[str, str]) -> None:
    """Any pod of a release may be asked, and its programs may be others."""
    cluster = cluster_with(Completed(0, *outputs))
    cluster.server.programs.protocol = "v4.channel.k8s.io"
    with pytest.raises(VrooliError, match="more than 10 bytes"):
        await cluster.exec("dev", "pod", ["cat", "file"], "main", most=10)
