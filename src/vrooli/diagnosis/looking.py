"""One look at something, within a limit; what stands in its way is noted and stops nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from dataclasses import dataclass, field
from typing import TypeVar

import httpx

from vrooli.diagnosis.evidence import Unseen
from vrooli.errors import VrooliError

T = TypeVar("T")

# How long each list and each question may take, seconds.
LOOK_S = 6.0


@dataclass
class Looking:
    """What couldn't be seen so far."""

    unseen: list[Unseen] = field(default_factory=list)

    async def at(self, what: str, doing: Awaitable[T], otherwise: T, limit_s: float = LOOK_S) -> T:
        """What a look gives, or ``otherwise``; what stands in its way is noted."""
        try:
            async with asyncio.timeout(limit_s):
                return await doing
        except TimeoutError:
            self.unseen.append(Unseen(what, f"no answer within {limit_s:.0f} s"))
        except VrooliError as error:
            self.unseen.append(Unseen(what, error.message))
        except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
            why = f"the answer can't be read ({type(error).__name__}: {error})"
            self.unseen.append(Unseen(what, why))
        except (httpx.HTTPError, OSError) as error:
            self.unseen.append(Unseen(what, f"{type(error).__name__}: {error}"))
        return otherwise


def grouped(unseen: list[Unseen]) -> list[Unseen]:
    """What couldn't be seen for one reason and of one kind, in one line.

    A list that is refused in seven namespaces is one thing to know, not seven.
    """
    found: dict[tuple[str, str], list[str]] = {}
    for item in unseen:
        kind, _, where = item.what.partition(" in ")
        places = found.setdefault((kind, _without(item.why, where)), [])
        if where and where not in places:
            places.append(where)
    return [
        Unseen(f"{kind} in {', '.join(places)}" if places else kind, why)
        for (kind, why), places in found.items()
    ]


def _without(why: str, where: str) -> str:
    """A reason without the place that it names: the same reason elsewhere is no other one."""
    return why.replace(f'in the namespace "{where}"', "there") if where else why
