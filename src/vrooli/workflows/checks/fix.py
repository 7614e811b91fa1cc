"""Safe fixes of findings: steps of setup."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from vrooli import operators
from vrooli.checks.interface import Outcome
from vrooli.environments import Environment
from vrooli.events import Listener, StepEnded
from vrooli.operators.installation import record
from vrooli.operators.model import INSTALL_COMMAND
from vrooli.workflows.clusters import access
from vrooli.workflows.development import develop
from vrooli.workflows.options import DevelopOptions

# The step that makes the development Vault, its policies, its role and its first secrets. It does
# not change another Vault or existing secrets.
SECRETS = "secrets"
AWAIT = "operators"
# The operator of each kind.
OWNERS = {kind: operator.name for operator in operators.OPERATORS for kind in operator.kinds}
TITLES = {operator.name: operator.title for operator in operators.OPERATORS}


@dataclass(frozen=True)
class Fix:
    """The possible fixes.

    Attributes:
        steps: The steps of setup.
        actions: What they do, in words.
        anew: Installed operators whose custom resource definitions are missing.
    """

    steps: tuple[str, ...] = ()
    actions: tuple[str, ...] = ()
    anew: tuple[str, ...] = ()


NO_FIX = Fix()


def of(outcomes: Iterable[Outcome]) -> Fix:
    """Select the safe fixes: those of findings whose remedy is this command."""
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
    """Run setup's steps, with their dependencies.

    Raises:
        PrerequisiteError: This cluster takes no local images; its owner must fix it.
        VrooliError: The first step's error.
    """
    if chosen.anew:
        await _forget(chosen.anew, cluster)
    options = DevelopOptions(environment, cluster=cluster)
    return await develop.run_only(options, chosen.steps, listener)


async def _forget(names: Iterable[str], cluster: str) -> None:
    """Mark our operators as incomplete, so that they are installed again."""
    async with access.connect(cluster) as reached:
        for operator in operators.OPERATORS:
            installed = await record.read(reached.kube, operator.namespace)
            if operator.name in names and installed.ours:
                unfinished = replace(installed, inputs="")
                await record.write(reached.kube, operator.namespace, unfinished)
