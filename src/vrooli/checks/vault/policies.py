"""The role's policies allow exactly their paths, and nothing else."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

from vrooli import project
from vrooli.checks.interface import Check, Seen, Site
from vrooli.checks.vault import state
from vrooli.checks.vault.state import VaultSeen, Wanted
from vrooli.findings import Finding
from vrooli.operators.model import INSTALL_COMMAND
from vrooli.vault import policies

NAME = "vault-policies"
REMEDY = "Write the five policies anew, from k8s/dev-support/vault-policies."
READ, DENY = frozenset({"read"}), frozenset({"deny"})
# What every token has by itself.
EVERYONES = frozenset({"default"})

_COMMENT = re.compile(r"^\s*(?:#|//).*$", re.MULTILINE)
_RULE = re.compile(r'path\s+"([^"]+)"\s*\{([^{}]*)\}')
_CAPABILITIES = re.compile(r"\s*capabilities\s*=\s*\[([^\]]*)\]\s*")

Rules = Mapping[str, frozenset[str]]


async def look(site: Site) -> Seen:
    """Ask what the role may do, at its own paths and at others."""
    seen = await state.collect(site)
    want = state.wanted(site)
    return judge(want, seen, policies.read(project.policies_dir())) if want else Seen()


def judge(want: Wanted, seen: VaultSeen, files: Mapping[str, str]) -> Seen:
    """Compare what the role may with what it should."""
    if seen.trouble:
        return Seen(unseen=(seen.trouble,))
    findings = [
        *_held(want, seen.policies),
        *(
            _finding(path, f"the role may {_list(seen.may[path])} it, it should only read it.")
            for path in state.allowed_paths(want)
            if path in seen.may and seen.may[path] not in (READ, DENY)
        ),
        *(
            _finding(path, f"the role may {_list(seen.may[path])} it, it should not reach it.")
            for path in state.forbidden_paths(want)
            if path in seen.may and seen.may[path] != DENY
        ),
        *_texts(seen.rules, files),
    ]
    unseen = () if seen.rules is not None else ("the policies' own text, which needs more rights",)
    said = f"{len(policies.NAMES)} policies; {len(seen.may)} paths asked for"
    # Another Vault is its owner's to mend.
    fix = INSTALL_COMMAND if state.is_ours(want.address) else ""
    return Seen(said, tuple(replace(found, command=fix) for found in findings), unseen)


def _held(want: Wanted, held: frozenset[str]) -> list[Finding]:
    """Which policies the role lacks, and which it has beyond them."""
    what, five = f"role {want.role}", frozenset(policies.NAMES)
    found = []
    if lacking := five - held:
        found.append(_finding(what, f"it lacks the policies {_list(lacking)}."))
    if beyond := held - five - EVERYONES:
        found.append(_finding(what, f"it has other policies, too: {_list(beyond)}."))
    return found


def _texts(rules: Mapping[str, str | None] | None, files: Mapping[str, str]) -> list[Finding]:
    """Which policies say something else than their files."""
    found = []
    for name, text in (rules or {}).items():
        if text is None:
            found.append(_finding(f"policy {name}", "it isn't there."))
        elif (says := parse(text)) != (wants := parse(files[name])):
            found.append(_finding(f"policy {name}", _difference(says, wants)))
    return found


def _difference(says: Rules | None, wants: Rules | None) -> str:
    if says is None or wants is None:
        return "it says more than paths with their capabilities."
    allowed = ", ".join(f"{path} ({_list(may)})" for path, may in sorted(says.items()))
    return f"it allows {allowed or 'nothing'}; it should allow {', '.join(sorted(wants))} (read)."


def parse(text: str) -> Rules | None:
    """A policy's paths with their capabilities; None when it says anything else, too."""
    plain = _COMMENT.sub("", text)
    found: dict[str, frozenset[str]] = {}
    for path, body in _RULE.findall(plain):
        capabilities = _CAPABILITIES.fullmatch(body)
        if capabilities is None:
            return None
        words = frozenset(re.findall(r'"([^"]+)"', capabilities[1]))
        found[path] = found.get(path, frozenset()) | words
    return None if _RULE.sub("", plain).strip() else found


def _list(words: frozenset[str]) -> str:
    return ", ".join(sorted(words))


def _finding(what: str, said: str) -> Finding:
    return Finding(NAME, what, said, REMEDY)


CHECK = Check(
    NAME,
    "Vault policies",
    "the role has the five policies and no others, and they allow reading exactly their paths: no "
    "sibling, child or parent paths, no metadata, no system paths",
    look,
    state.needless,
    after=("vault",),
    of_operators=True,
)
