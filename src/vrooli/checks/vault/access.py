"""Vault responds, is unsealed, and allows its Secrets Operator to read each path of the values."""

from __future__ import annotations

from vrooli.checks.interface import Check, CheckResult, Site
from vrooli.checks.vault import state
from vrooli.checks.vault.request import VaultRequest, is_ours, skip_reason, vault_request
from vrooli.checks.vault.state import VaultSnapshot
from vrooli.findings import Finding
from vrooli.operators.model import INSTALL_COMMAND

SETUP = "`vrooli setup` creates the role, policies and initial secrets of a development Vault."


async def run(site: Site) -> CheckResult:
    """Check the role, the policies and the paths."""
    snapshot = await state.collect(site)
    request = vault_request(site)
    return judge(request, snapshot) if request else CheckResult()


def judge(request: VaultRequest, snapshot: VaultSnapshot) -> CheckResult:
    """The result of the responses of Vault."""
    # vrooli only configures its own development Vault.
    fix = INSTALL_COMMAND if is_ours(request.address) else ""
    if snapshot.failure:
        what = f"role {request.role}" if "role" in snapshot.failure else request.address
        return CheckResult(
            findings=(Finding("vault", what, snapshot.failure, snapshot.advice or SETUP, fix),)
        )
    findings = [
        Finding("vault", f"{mount}/", f"it is not a KV version 2 engine, but {engine}.", SETUP, fix)
        for mount, engine in snapshot.engines.items()
        if engine not in ("", "kv 2")
    ]
    for (mount, path), secret in snapshot.secrets.items():
        if secret.denied:
            message = "no policy of the role allows reading it."
        elif secret.keys is None:
            message = "there is no secret at this path."
        else:
            continue
        findings.append(Finding("vault", f"{mount}/{path}", message, SETUP, fix))
    good = sum(secret.keys is not None for secret in snapshot.secrets.values())
    return CheckResult(
        f"unsealed; role {request.role} reads {good} of {len(request.secrets)} secrets",
        tuple(findings),
        warnings=(snapshot.warning,) if snapshot.warning else (),
    )


CHECK = Check(
    "vault",
    "Vault",
    "Vault responds with a certificate that its Secrets Operator accepts if the address is https, "
    "is unsealed, accepts the service account of the operator (authentication and role), has a KV "
    "engine of version 2 and a secret at each path, and the policies of the role allow reading it",
    run,
    skip_reason,
    stops_deploy=True,
    of_operators=True,
)
