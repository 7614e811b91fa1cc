"""Who is asked before something changes that people depend on: one rule for every command."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from vrooli.environments import ENVIRONMENTS
from vrooli.errors import InterruptError, UsageError

# Puts a question to the person at the terminal; says whether the answer is yes.
Prompt = Callable[[str], bool]
# How many objects a question names; all of them were shown before.
MOST_NAMED = 10


class Action(StrEnum):
    """What a command is about to do."""

    DEPLOY = "`deploy`, if there are changes"
    ROLLBACK = "`rollback`"
    DEVELOP = "`develop`, if the release exists"
    REPLACE_ARTIFACT = "`develop`, if the release was not created by `develop`"
    UNINSTALL = "`uninstall`"
    DELETE_DATA = "`uninstall --delete-data`"
    DELETE_CLUSTER = "`cluster delete`, if the cluster exists"


class Verdict(StrEnum):
    """What becomes of the action."""

    PROCEED = "proceeds"
    PROMPTS = "asks"
    REFUSE = "exits with 2"


# The environments that other people use; development is one's own.
SHARED = ("staging", "prod")
EVERY = tuple(ENVIRONMENTS)
# The environments in which each action needs a yes. Data and what an artifact brought can't be had
# again from the sources, so they need it everywhere.
REQUIRES_YES: Mapping[Action, Sequence[str]] = {
    Action.DEPLOY: SHARED,
    Action.ROLLBACK: SHARED,
    Action.DEVELOP: SHARED,
    Action.REPLACE_ARTIFACT: EVERY,
    Action.UNINSTALL: SHARED,
    Action.DELETE_DATA: EVERY,
    Action.DELETE_CLUSTER: EVERY,
}


def verdict(action: Action, environment: str | None, *, terminal: bool, yes: bool) -> Verdict:
    """What becomes of an action in an environment.

    Args:
        action: What is about to be done.
        environment: dev, staging or prod; None for what concerns all of them.
        terminal: Whether a person is there who can be asked.
        yes: Whether ``--yes`` was given.
    """
    if yes or environment not in (None, *REQUIRES_YES[action]):
        return Verdict.PROCEED
    return Verdict.PROMPTS if terminal else Verdict.REFUSE


@dataclass(frozen=True)
class Consent:
    """What the person has agreed to, and the way to ask.

    Attributes:
        yes: Whether all was agreed to in advance.
        ask: Asks the person; None when nobody is at a terminal.
    """

    yes: bool = False
    ask: Prompt | None = None

    def demand(self, action: Action, environment: str | None, change: str) -> bool:
        """Go on only with the person's consent, where that is needed.

        Args:
            action: What is about to be done.
            environment: dev, staging or prod; None for what concerns all of them.
            change: What would be changed, such as "change 3 objects of vrooli-prod".

        Returns:
            Whether a person was asked, and so may have thought for long.

        Raises:
            UsageError: A yes is needed, and nobody is there to say it.
            InterruptError: The person said no.
        """
        decided = verdict(action, environment, terminal=self.ask is not None, yes=self.yes)
        if decided is Verdict.REFUSE:
            raise UsageError(
                f"This would {change}. That needs a yes, and there is no terminal to ask on; "
                "none of it was done.",
                "If that is right, run the same command with --yes.",
            )
        if decided is Verdict.PROCEED or self.ask is None:
            return False
        if not self.ask(f"{change[:1].upper()}{change[1:]}?"):
            raise InterruptError("Not confirmed; nothing was changed.")
        return True


# For callers that are no command: whoever calls has decided.
CONFIRMED = Consent(yes=True)


def objects(keys: Sequence[str]) -> str:
    """Some objects by kind and name, for a question."""
    named, more = ", ".join(keys[:MOST_NAMED]), len(keys) - MOST_NAMED
    count = f"{len(keys)} object{'s' if len(keys) != 1 else ''}"
    return f"{count} ({named}{f' and {more} more' if more > 0 else ''})"
