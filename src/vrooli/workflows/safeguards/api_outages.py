"""What a command has done if the API server stops answering in the middle of it."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, ParamSpec, TypeVar

from vrooli.errors import VrooliError
from vrooli.events import Event, Listener, Outcome, StepEnded, StepStarted

P = ParamSpec("P")
R = TypeVar("R")

CONTINUES = "run the same command again: it continues."


@contextmanager
def explaining(listener: Listener, next_: str = CONTINUES) -> Iterator[Listener]:
    """Add to the error of an outage which steps were done, which was interrupted, and what to do.

    Args:
        listener: Receives what happens.
        next_: What to do once the API server answers again.

    Yields:
        The listener for the steps.
    """
    done: list[str] = []
    interrupted: dict[str, str] = {}

    def listen(event: Event) -> None:
        match event:
            case StepStarted(step=step, title=title):
                interrupted[step] = title
            case StepEnded(step=step, outcome=Outcome.CHANGED | Outcome.UNCHANGED):
                if step in interrupted:
                    done.append(interrupted.pop(step))
        listener(event)

    try:
        yield listen
    except VrooliError as error:
        if error.is_outage:
            error.message = f"{error.message} {_format(done, list(interrupted.values()))}"
            error.args = (error.message,)
            error.advice = f"{error.advice} When the API server answers again, {next_}".lstrip()
        raise


def _format(done: list[str], interrupted: list[str]) -> str:
    if not (done or interrupted):
        return "Nothing was changed."
    finished = f"Done: {', '.join(done)}." if done else "No step was completed."
    if not interrupted:
        return f"{finished} What follows was not begun."
    return f"{finished} Interrupted: {', '.join(interrupted)}; what follows was not begun."


def explained(
    next_: str = CONTINUES,
) -> Callable[[Callable[P, Awaitable[R]]], Callable[P, Coroutine[Any, Any, R]]]:
    """Decorate a workflow, whose parameter ``listener`` receives what happens, with the above."""

    def decorate(workflow: Callable[P, Awaitable[R]]) -> Callable[P, Coroutine[Any, Any, R]]:
        signature = inspect.signature(workflow)

        @functools.wraps(workflow)
        async def run(*arguments: P.args, **named: P.kwargs) -> R:
            bound = signature.bind(*arguments, **named)
            with explaining(bound.arguments["listener"], next_) as listener:
                bound.arguments["listener"] = listener
                return await workflow(*bound.args, **bound.kwargs)

        return run

    return decorate
