"""The question on a terminal."""

from __future__ import annotations

import os
import signal
import threading

import pytest
import typer

from vrooli.cli.terminal import prompt


@pytest.mark.parametrize(("typed", "answer"), [("y", True), ("n", False)])
def test_the_persons_answer_counts(
    monkeypatch: pytest.MonkeyPatch, typed: str, answer: bool
) -> None:
    monkeypatch.setattr(typer, "confirm", lambda text, err: typed == "y")
    assert prompt.confirm("Change it?") is answer


def test_ctrl_c_is_a_no_and_the_handler_of_before_comes_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def ask(text: str, err: bool) -> bool:
        try:
            os.kill(os.getpid(), signal.SIGINT)
            threading.Event().wait(10)
        except KeyboardInterrupt:
            raise typer.Abort from None  # as the real one does
        return True

    received: list[int] = []
    before = signal.signal(signal.SIGINT, lambda number, frame: received.append(number))
    monkeypatch.setattr(typer, "confirm", ask)
    try:
        assert prompt.confirm("Change it?") is False
        os.kill(os.getpid(), signal.SIGINT)
        assert received == [signal.SIGINT]
    finally:
        signal.signal(signal.SIGINT, before)
