"""Vault answers, is unsealed, and lets its Secrets Operator read each path that the values name."""

from __future__ import annotations

from vrooli.checks.interface import Check, Seen, Site
from vrooli.checks.vault import state
from vrooli.checks.vault.state import VaultSeen, Wanted
from vrooli.findings import Finding
from vrooli.operators.model import INSTALL_COMMAND

SETUP = "`vrooli setup` writes role, policies and first secrets of a development Vault."


async def look(site: Site) -> Seen:
    """Whether role, policies and paths are there."""
    seen = await state.collect(site)
    want = state.wanted(site)
    return judge(want, seen) if want else Seen()


def judge(want: Wanted, seen: VaultSeen) -> Seen:
    """What Vault's answers lack."""
    # Another Vault is its owner's to mend.
    fix = INSTALL_COMMAND if state.is_ours(want.address) else ""
    if seen.trouble:
        what = f"role {want.role}" if "role" in seen.trouble else want.address
        return Seen(findings=(Finding("vault", what, seen.trouble, seen.advice or SETUP, fix),))
    findings = [
        Finding("vault", f"{mount}/", f"it is no KV engine of version 2, but {engine}.", SETUP, fix)
        for mount, engine in seen.engines.items()
        if engine not in ("", "kv 2")
    ]
    for (mount, path), secret in seen.secrets.items():
        if secret.denied:
            said = "no policy of the role lets it be read."
        elif secret.keys is None:
            said = "there is no secret at this path."
        else:
            continue
        findings.append(Finding("vault", f"{mount}/{path}", said, SETUP, fix))
    good = sum(secret.keys is not None for secret in seen.secrets.values())
    return Seen(
        f"unsealed; role {want.role} reads {good} of {len(want.secrets)} secrets", tuple(findings)
    )


CHECK = Check(
    "vault",
    "Vault",
    "Vault responds and is unsealed, accepts the service account of its Secrets Operator "
    "(authentication and role), has a KV engine of version 2 and a secret at each path, and the "
    "policies of the role allow reading it",
    look,
    state.needless,
    stops_deploy=True,
    of_operators=True,
)
