"""The policies of the role allow exactly their paths and nothing else."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

from vrooli import project
from vrooli.checks.interface import Check, CheckResult, Site
from vrooli.checks.vault import state
from vrooli.checks.vault.request import VaultRequest, is_ours, skip_reason, vault_request
from vrooli.checks.vault.state import VaultSnapshot
from vrooli.findings import Finding
from vrooli.operators.model import INSTALL_COMMAND
from vrooli.vault import policies

NAME = "vault-policies"
REMEDY = (
    "Write the five policies of the role again: the rules of k8s/dev-support/vault-policies, with "
    "the paths of the environment."
)
READ, DENY = frozenset({"read"}), frozenset({"deny"})
# The policy that every token has.
EVERYONES = frozenset({"default"})

_COMMENT = re.compile(r"^\s*(?:#|//).*$", re.MULTILINE)
_RULE = re.compile(r'path\s+"([^"]+)"\s*\{([^{}]*)\}')
_CAPABILITIES = re.compile(r"\s*capabilities\s*=\s*\[([^\]]*)\]\s*")

Rules = Mapping[str, frozenset[str]]


async def run(site: Site) -> CheckResult:
    """Check what the role may do at its own paths and at others."""
    snapshot = await state.collect(site)
    request = vault_request(site)
    return (
        judge(
            request,
            snapshot,
            policies.scope_of(request.role).rules(policies.read(project.policies_dir())),
        )
        if request
        else CheckResult()
    )


def judge(request: VaultRequest, snapshot: VaultSnapshot, rules: Mapping[str, str]) -> CheckResult:
    """Compare the capabilities of the role, and the rules of its policies, with the expected."""
    if snapshot.failure:
        return CheckResult(unavailable=(snapshot.failure,))
    findings = [
        *_missing_policies(request, snapshot.policies, frozenset(rules)),
        *(
            _finding(
                path,
                f"the role may {_list(snapshot.may[path])} it; it should only be able to read it.",
            )
            for path in state.allowed_paths(request)
            if path in snapshot.may and snapshot.may[path] not in (READ, DENY)
        ),
        *(
            _finding(
                path, f"the role may {_list(snapshot.may[path])} it; it should have no access."
            )
            for path in state.forbidden_paths(request)
            if path in snapshot.may and snapshot.may[path] != DENY
        ),
        *_texts(snapshot.rules, rules),
    ]
    unavailable = (
        ()
        if snapshot.rules is not None
        else ("the text of the policies, which requires more permissions",)
    )
    message = f"{len(rules)} policies; {len(snapshot.may)} paths checked"
    # vrooli only configures its own development Vault.
    fix = INSTALL_COMMAND if is_ours(request.address) else ""
    return CheckResult(message, tuple(replace(item, command=fix) for item in findings), unavailable)


def _missing_policies(
    request: VaultRequest, actual_policies: frozenset[str], five: frozenset[str]
) -> list[Finding]:
    """The policies that the role lacks, and its unexpected ones."""
    what, problems = f"role {request.role}", []
    if lacking := five - actual_policies:
        problems.append(_finding(what, f"it lacks the policies {_list(lacking)}."))
    if beyond := actual_policies - five - EVERYONES:
        problems.append(_finding(what, f"it has unexpected policies: {_list(beyond)}."))
    return problems


def _texts(rules: Mapping[str, str | None] | None, files: Mapping[str, str]) -> list[Finding]:
    """The policies whose text differs from their files."""
    problems = []
    for name, text in (rules or {}).items():
        if text is None:
            problems.append(_finding(f"policy {name}", "it does not exist."))
        elif (actual := parse(text)) != (expected := parse(files[name])):
            problems.append(_finding(f"policy {name}", _difference(actual, expected)))
    return problems


def _difference(actual: Rules | None, expected: Rules | None) -> str:
    if actual is None or expected is None:
        return "it has more than paths with capabilities."
    allowed = ", ".join(f"{path} ({_list(may)})" for path, may in sorted(actual.items()))
    return (
        f"it allows {allowed or 'nothing'}; it should allow {', '.join(sorted(expected))} (read)."
    )


def parse(text: str) -> Rules | None:
    """The paths of a policy with their capabilities; None if it has anything else."""
    plain = _COMMENT.sub("", text)
    problems: dict[str, frozenset[str]] = {}
    for path, body in _RULE.findall(plain):
        capabilities = _CAPABILITIES.fullmatch(body)
        if capabilities is None:
            return None
        words = frozenset(re.findall(r'"([^"]+)"', capabilities[1]))
        problems[path] = problems.get(path, frozenset()) | words
    return None if _RULE.sub("", plain).strip() else problems


def _list(words: frozenset[str]) -> str:
    return ", ".join(sorted(words))


def _finding(what: str, message: str) -> Finding:
    return Finding(NAME, what, message, REMEDY)


CHECK = Check(
    NAME,
    "Vault policies",
    "the role has the five policies and no others, and they allow reading exactly their paths: no "
    "sibling, child or parent paths, no metadata, no system paths",
    run,
    skip_reason,
    after=("vault",),
    of_operators=True,
)
