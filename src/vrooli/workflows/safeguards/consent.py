"""Confirmation of changes: one rule for all commands."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from vrooli.environments import ENVIRONMENTS
from vrooli.errors import InterruptError, UsageError
from vrooli.grammar import counted

# Shows a prompt on the terminal and returns whether it was confirmed.
Prompt = Callable[[str], bool]
# Maximum number of objects in a prompt; all of them were shown before.
MOST_NAMED = 10


class Action(StrEnum):
    """Actions that may require confirmation."""

    DEPLOY = "`deploy`, if there are changes"
    ROLLBACK = "`rollback`"
    SCALE = "`scale`, if there are changes"
    SCALE_TO_ZERO = "`scale COMPONENT 0`"
    GROW = "`grow`, if there are changes"
    DEVELOP = "`develop`"
    REPLACE_ARTIFACT = "`develop`, if the release was not created by `develop`"
    SWITCHOVER = "`switchover`, if there is something to do"
    RESTORE_COPY = "`restore --into`"
    RESTORE_POSTGRES = "`restore` of PostgreSQL in place"
    UNDO_RESTORE = "`restore --undo`"
    FINISH_RESTORE = "`restore --finish`"
    ROTATE = "`rotate`"
    RESTORE_REDIS = "`restore --only redis`"
    RESTORE_VAULT = "`restore --only vault`, if there are changes"
    DRILL = "`drill`"
    RESET_DATA = "`db reset`"
    SEED_DATA = "`db seed`"
    UPGRADE_OPERATORS = "`upgrade operators`, if there is something to do"
    UNINSTALL = "`uninstall`"
    DELETE_DATA = "`uninstall --delete-data`"
    DELETE_CLUSTER = "`cluster delete`, if the cluster exists"
    RESTORE_CLUSTER = "`cluster restore`"
    DELETE_SNAPSHOT = "`cluster delete-snapshot`"


class Verdict(StrEnum):
    """How an action proceeds."""

    PROCEED = "proceeds"
    PROMPTS = "asks"
    REFUSE = "exits with 2"


# Environments that several people use.
SHARED = ("staging", "prod")
EVERY = tuple(ENVIRONMENTS)
# Environments in which each action requires confirmation. Data and releases of an artifact cannot
# be restored from source, and `uninstall` ends what runs, so they require it in all environments.
REQUIRES_YES: Mapping[Action, Sequence[str]] = {
    Action.DEPLOY: SHARED,
    Action.ROLLBACK: SHARED,
    Action.SCALE: SHARED,
    Action.SCALE_TO_ZERO: EVERY,
    Action.GROW: SHARED,
    Action.DEVELOP: SHARED,
    Action.REPLACE_ARTIFACT: EVERY,
    Action.SWITCHOVER: SHARED,
    Action.RESTORE_COPY: SHARED,
    Action.RESTORE_POSTGRES: EVERY,
    Action.UNDO_RESTORE: EVERY,
    Action.FINISH_RESTORE: EVERY,
    Action.ROTATE: SHARED,
    Action.RESTORE_REDIS: EVERY,
    Action.RESTORE_VAULT: EVERY,
    Action.DRILL: SHARED,
    Action.RESET_DATA: EVERY,
    Action.SEED_DATA: EVERY,
    Action.UPGRADE_OPERATORS: EVERY,
    Action.UNINSTALL: EVERY,
    Action.DELETE_DATA: EVERY,
    Action.DELETE_CLUSTER: EVERY,
    Action.RESTORE_CLUSTER: EVERY,
    Action.DELETE_SNAPSHOT: EVERY,
}


def verdict(action: Action, environment: str | None, *, terminal: bool, yes: bool) -> Verdict:
    """Return how an action proceeds in an environment.

    Args:
        action: The action.
        environment: dev, staging or prod; None for an action that affects all of them.
        terminal: Whether a prompt can be shown.
        yes: Whether ``--yes`` was given.
    """
    if yes or environment not in (None, *REQUIRES_YES[action]):
        return Verdict.PROCEED
    return Verdict.PROMPTS if terminal else Verdict.REFUSE


@dataclass(frozen=True)
class Consent:
    """The confirmation of a command.

    Attributes:
        yes: Whether ``--yes`` was given.
        ask: Shows a prompt; None without a terminal.
    """

    yes: bool = False
    ask: Prompt | None = None

    def demand(self, action: Action, environment: str | None, change: str) -> bool:
        """Require confirmation of an action if it is necessary.

        Args:
            action: The action.
            environment: dev, staging or prod; None for an action that affects all of them.
            change: The change, such as "change 3 objects of vrooli-prod".

        Returns:
            Whether a prompt was shown, which may have taken long.

        Raises:
            UsageError: Confirmation is required, and no prompt can be shown.
            InterruptError: The prompt was declined.
        """
        decided = verdict(action, environment, terminal=self.ask is not None, yes=self.yes)
        if decided is Verdict.REFUSE:
            raise UsageError(
                f"This would {change}. Confirmation is required, but there is no terminal for a "
                "prompt. Nothing was changed.",
                "To confirm, run the same command with --yes.",
            )
        if decided is Verdict.PROCEED or self.ask is None:
            return False
        if not self.ask(f"{change[:1].upper()}{change[1:]}?"):
            raise InterruptError("Not confirmed; nothing was changed.")
        return True


# For callers that are not commands; the caller has decided.
CONFIRMED = Consent(yes=True)


def objects(keys: Sequence[str]) -> str:
    """Format objects by kind and name for a prompt."""
    named, more = ", ".join(keys[:MOST_NAMED]), len(keys) - MOST_NAMED
    return f"{counted(len(keys), 'object')} ({named}{f' and {more} more' if more > 0 else ''})"
