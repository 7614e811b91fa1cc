"""The conditions of an object, and whether its controller has observed its last change."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from vrooli.kube.objects import Body, items, number, text
from vrooli.kube.times import parse_time

TRUE, FALSE = "True", "False"


@dataclass(frozen=True)
class Condition:
    """One condition of an object.

    Attributes:
        type: Its type, such as Ready.
        status: True, False or Unknown.
        reason: The reason, one word.
        message: The message for people.
        changed_at: When its status last changed; None if it does not say.
    """

    type: str
    status: str
    reason: str = ""
    message: str = ""
    changed_at: datetime | None = None

    @property
    def is_true(self) -> bool:
        """Whether its status is True; Unknown is not."""
        return self.status == TRUE

    @property
    def is_false(self) -> bool:
        """Whether its status is False; Unknown is not."""
        return self.status == FALSE


def read_conditions(body: Body | None) -> tuple[Condition, ...]:
    """All conditions of an object, in its order."""
    return tuple(
        Condition(
            text(item, "type"),
            text(item, "status"),
            text(item, "reason"),
            " ".join(text(item, "message").split()),
            parse_time(text(item, "lastTransitionTime")),
        )
        for item in items(body, "status", "conditions")
    )


def find_condition(body: Body | None, *types: str) -> Condition | None:
    """The first condition of one of these types; None if there is none."""
    return next((item for item in read_conditions(body) if item.type in types), None)


def has_condition(body: Body | None, *types: str, status: str = TRUE) -> bool:
    """Whether a condition of one of these types has this status."""
    return any(item.type in types and item.status == status for item in read_conditions(body))


def is_observed(body: Body) -> bool:
    """Whether an object's controller has observed its last change.

    Source: "observedGeneration" in the Kubernetes API conventions.
    """
    return number(body, "status", "observedGeneration") >= number(body, "metadata", "generation")
