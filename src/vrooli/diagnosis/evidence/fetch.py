"""One look at something, within a limit; what stands in its way is noted and stops nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Iterable
from dataclasses import dataclass, field
from typing import TypeVar

import httpx

from vrooli.diagnosis.evidence.model import Unavailable
from vrooli.errors import VrooliError

T = TypeVar("T")

# How long each list and each question may take, seconds.
LOOK_S = 6.0


@dataclass
class Looking:
    """What couldn't be seen so far."""

    unavailable: list[Unavailable] = field(default_factory=list)

    async def at(
        self,
        what: str,
        doing: Awaitable[T],
        otherwise: T,
        limit_s: float | None = LOOK_S,
        *,
        place: tuple[str, str] = ("", ""),
    ) -> T:
        """What a look gives, or ``otherwise``; what stands in its way is noted.

        Args:
            what: What is looked at, in words.
            doing: Looks.
            otherwise: What is given where it can't.
            limit_s: How long it may take, seconds; None where it has a limit of its own.
            place: What `requirements` knows it by.
        """

        def note(why: str, advice: str = "") -> None:
            self.unavailable.append(Unavailable(what, why, advice, place))

        try:
            async with asyncio.timeout(limit_s):
                return await doing
        except TimeoutError:
            note(f"no answer within {limit_s:.0f} s" if limit_s is not None else "no answer")
        except VrooliError as error:
            note(error.message, error.advice)
        except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
            note(f"the answer can't be read ({type(error).__name__}: {error})")
        except (httpx.HTTPError, OSError) as error:
            note(f"{type(error).__name__}: {error}")
        return otherwise


def grouped(unavailable: Iterable[Unavailable]) -> list[Unavailable]:
    """What couldn't be seen for one reason and of one kind, in one line.

    A list that is refused in seven namespaces is one thing to know, not seven.
    """
    found: dict[tuple[str, str], tuple[Unavailable, list[str]]] = {}
    for item in unavailable:
        kind, _, where = item.resource.partition(" in ")
        _, places = found.setdefault((kind, _without(item.reason, where)), (item, []))
        if where and where not in places:
            places.append(where)
    return [
        Unavailable(f"{kind} in {', '.join(places)}" if places else kind, why, first.advice)
        for (kind, why), (first, places) in found.items()
    ]


def _without(why: str, where: str) -> str:
    """A reason without the place that it names: the same reason elsewhere is no other one."""
    return why.replace(f'in the namespace "{where}"', "there") if where else why
