"""What of a check's findings can be mended safely, and how: by the steps of setup alone."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from vrooli import operators
from vrooli.checks.interface import Outcome
from vrooli.environments import Environment
from vrooli.events import Listener, StepEnded
from vrooli.operators.installation import record
from vrooli.operators.installation.install import namespace_security
from vrooli.operators.model import INSTALL_COMMAND
from vrooli.workflows import develop
from vrooli.workflows.clusters import access
from vrooli.workflows.options import DevelopOptions

# The step that makes the development Vault, its policies, its role and its first secrets. It
# leaves a Vault that isn't ours, and secrets that there are, as they are.
SECRETS = "secrets"
AWAIT = "operators"
# Whose kinds are which operator's.
OWNERS = {kind: operator.name for operator in operators.OPERATORS for kind in operator.kinds}
TITLES = {operator.name: operator.title for operator in operators.OPERATORS}


@dataclass(frozen=True)
class Fix:
    """What can be done.

    Attributes:
        steps: The steps of setup that do it.
        said: What they do, in words.
        anew: Operators that are there, and whose definitions aren't.
    """

    steps: tuple[str, ...] = ()
    actions: tuple[str, ...] = ()
    anew: tuple[str, ...] = ()


NO_FIX = Fix()


def of(outcomes: Iterable[Outcome]) -> Fix:
    """What is safe to do about what was found: that for which the finding names this command."""
    absent, unserved, vault = set(), set(), False
    for outcome in outcomes:
        for finding in outcome.findings:
            if finding.command != INSTALL_COMMAND:
                continue
            if finding.rule_id in TITLES:
                absent.add(finding.rule_id)
            elif finding.resource in OWNERS:
                unserved.add(OWNERS[finding.resource])
            else:
                vault = True
    names = [name for name in TITLES if name in absent | unserved]
    actions = [f"install {TITLES[name]}" for name in names]
    steps = [*names, AWAIT] if names else []
    if vault:
        steps.append(SECRETS)
        actions.append(
            "write the policies, the role and the initial secrets of the development Vault"
        )
    return Fix(tuple(steps), tuple(actions), tuple(sorted(unserved - absent)))


async def do(
    chosen: Fix, environment: Environment, cluster: str, listener: Listener
) -> list[StepEnded]:
    """Run setup's steps for it, with all that they stand on.

    Raises:
        PrerequisiteError: This cluster takes none of our images: it is mended by its owner.
        VrooliError: The first step's error.
    """
    if chosen.anew:
        await _forget(chosen.anew, cluster)
    options = DevelopOptions(environment, cluster=cluster)
    return await develop.run_only(options, chosen.steps, listener)


async def _forget(names: Iterable[str], cluster: str) -> None:
    """Have operators of ours count as not wholly installed, so that they are installed again."""
    async with access.connect(cluster) as reached:
        for operator in operators.OPERATORS:
            installed = await record.read(reached.kube, operator.namespace)
            if operator.name in names and installed.ours:
                security = namespace_security(installed.source)
                unfinished = replace(installed, inputs="")
                await record.write(reached.kube, operator.namespace, unfinished, security)
