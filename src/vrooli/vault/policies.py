"""The five policies: files in the repository, one for each secret that VSO may read."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from vrooli.errors import UsageError

# The specification's names ("Vault Policies and Authentication"); the file's stem is the name.
NAMES = (
    "vrooli-config-shared-all-read-policy",
    "vrooli-secrets-shared-server-jobs-read-policy",
    "vrooli-secrets-postgres-read-policy",
    "vrooli-secrets-redis-read-policy",
    "vrooli-secrets-dockerhub-read-policy",
)
# The secret of each policy, by its path below the engine.
PATHS = {
    "vrooli/config/shared-all": NAMES[0],
    "vrooli/secrets/shared-server-jobs": NAMES[1],
    "vrooli/secrets/postgres": NAMES[2],
    "vrooli/secrets/redis": NAMES[3],
    "vrooli/dockerhub/pull-credentials": NAMES[4],
}


def read(folder: Path) -> Mapping[str, str]:
    """The rules of the five policies, by name.

    Raises:
        UsageError: A file is missing.
    """
    missing = [name for name in NAMES if not (folder / f"{name}.hcl").is_file()]
    if missing:
        raise UsageError(
            f"{folder} does not contain {', '.join(f'{name}.hcl' for name in missing)}.",
            "Restore them from the repository (`git checkout -- k8s/dev-support`).",
        )
    return {name: (folder / f"{name}.hcl").read_text() for name in NAMES}
