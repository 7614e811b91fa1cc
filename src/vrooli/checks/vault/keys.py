"""The secrets in Vault have the keys that the release uses. No value is ever shown."""

from __future__ import annotations

from vrooli import shell
from vrooli.checks.interface import Check, CheckResult, Site
from vrooli.checks.vault import state
from vrooli.checks.vault.request import VaultRequest, skip_reason, vault_request
from vrooli.checks.vault.state import VaultSnapshot
from vrooli.findings import Finding
from vrooli.secrets import catalog, key_pairs
from vrooli.vault import policies

# The keys that the services require, by the secret's path.
NEEDED = {
    scope.path(spec.path): frozenset(key.name for key in spec.keys if key.required)
    for scope in policies.SCOPES
    for spec in catalog.ALL
}


async def run(site: Site) -> CheckResult:
    """Check that each secret has its keys."""
    request = vault_request(site)
    return judge(request, await state.collect(site)) if request else CheckResult()


def judge(request: VaultRequest, snapshot: VaultSnapshot) -> CheckResult:
    """The keys that are missing, required but empty, or with a value that cannot be used."""
    findings, count = [], 0
    for (mount, path), templates in request.secrets.items():
        secret = snapshot.secrets.get((mount, path))
        if secret is None or secret.keys is None:
            continue  # the check of Vault reports it
        needed = NEEDED.get(path, frozenset()) | (templates & key_pairs.NAMES)
        count += len(templates | needed)
        missing = sorted((templates | needed) - secret.keys)
        empty = sorted(needed & secret.empty)
        for key, reason in sorted(secret.problems.items()):
            if key in templates | needed:
                findings.append(_finding(mount, path, f"{key}: {reason}.", [key]))
        for keys, lack in ((missing, "it lacks"), (empty, "these are empty:")):
            if keys:
                findings.append(_finding(mount, path, f"{lack} {', '.join(keys)}.", keys))
    if not count:
        return CheckResult(unavailable=(snapshot.failure or "no secret could be read",))
    return CheckResult(f"the {count} keys that the release uses", tuple(findings))


def _finding(mount: str, path: str, message: str, keys: list[str]) -> Finding:
    arguments = " ".join(f"{shell.key(key)}=-" for key in keys[:1])
    pairs = [
        f" {pair.private} and {pair.public} are {pair.title}."
        for pair in key_pairs.PAIRS
        if pair.names & set(keys)
    ]
    if pairs:
        pairs.append(" docs/vrooli.md shows how to generate them.")
    return Finding(
        "vault-keys",
        f"{mount}/{path}",
        message,
        "Write each to the secret; the command reads the value from standard input."
        + "".join(pairs),
        f"vault kv patch -mount={shell.path(mount)} {shell.path(path)} {arguments}",
    )


CHECK = Check(
    "vault-keys",
    "Vault keys",
    "the secrets in Vault contain the keys that the templates of the chart and the services use, "
    "and their consumers can use the values (no value is shown)",
    run,
    skip_reason,
    after=("vault",),
    stops_deploy=True,
    of_operators=True,
)
