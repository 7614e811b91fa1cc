"""The five policies of each environment: one for each secret that VSO may read.

The files in the repository are those of the specification, for its own paths. The policies of
another environment are the same rules for the paths of that environment.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from vrooli.environments import ENVIRONMENTS
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
_PATHS = {
    "vrooli/config/shared-all": NAMES[0],
    "vrooli/secrets/shared-server-jobs": NAMES[1],
    "vrooli/secrets/postgres": NAMES[2],
    "vrooli/secrets/redis": NAMES[3],
    "vrooli/dockerhub/pull-credentials": NAMES[4],
}
_ROLE, _PREFIX, _FOLDER = "vrooli-vso-sync-role", "vrooli-", "vrooli/"
_DATA = f"/data/{_FOLDER}"
# A rule of a policy: `path "secret/data/…" {`.
_RULE = re.compile(r'^\s*path\s+"([^"]*)"', re.MULTILINE)
_COMMENT = re.compile(r"^\s*#.*$", re.MULTILINE)
_WORD = re.compile(r"\bpath\b")
# A wildcard in the first name below the folder, which would include other environments.
_WILDCARD = re.compile(rf"{_DATA}[^/]*[*+]")
RESTORE = "Restore the files from the repository (`git checkout -- k8s/dev-support`)."


@dataclass(frozen=True)
class Scope:
    """The paths, policies and role of an environment in Vault.

    Attributes:
        environment: Its name; empty for the specification's own paths.
        namespaces: The namespaces whose releases may read them.
    """

    environment: str
    namespaces: tuple[str, ...]

    @property
    def role(self) -> str:
        """The role of VSO."""
        return self._named(_ROLE)

    @property
    def names(self) -> tuple[str, ...]:
        """The names of its policies."""
        return tuple(map(self._named, NAMES))

    @property
    def paths(self) -> Mapping[str, str]:
        """The name of the policy of each path below the engine."""
        return {self.path(path): self._named(name) for path, name in _PATHS.items()}

    def path(self, path: str) -> str:
        """Its path for a path of the specification."""
        folder = f"{_FOLDER}{self.environment}/" if self.environment else _FOLDER
        return folder + path.removeprefix(_FOLDER)

    def rules(self, files: Mapping[str, str]) -> Mapping[str, str]:
        """The rules of its policies by name, from those of the files.

        Raises:
            UsageError: A file has a path outside of the specification's folder, which would be
                allowed in all environments, or none.
        """
        return {self._named(name): self._moved(name, text) for name, text in files.items()}

    def _moved(self, name: str, rules: str) -> str:
        """The rules of a file for the paths of this scope."""
        paths = _RULE.findall(rules)
        outside = any(path.count(_DATA) != 1 or _WILDCARD.search(path) for path in paths)
        others = len(_WORD.findall(_RULE.sub("", _COMMENT.sub("", rules))))
        if not paths or outside or others:
            raise UsageError(
                f"The policy {name} has the paths {', '.join(paths) or '(none)'}; each must "
                f"begin a line and contain {_DATA!r} once, which is replaced for each environment, "
                "without a wildcard in the next name.",
                RESTORE,
            )
        return _RULE.sub(lambda rule: rule[0].replace(_DATA, f"/data/{self.path(_FOLDER)}"), rules)

    def _named(self, name: str) -> str:
        infix = f"{self.environment}-" if self.environment else ""
        return f"{_PREFIX}{infix}{name.removeprefix(_PREFIX)}"


# Development uses the paths of the specification. Releases of the other environments may use them
# too, if their values name them and the role of the specification.
SHARED = Scope("", tuple(item.namespace for item in ENVIRONMENTS.values()))
SCOPES = (
    SHARED,
    *(Scope(item.name, (item.namespace,)) for item in ENVIRONMENTS.values() if item.name != "dev"),
)
# The policy of each path of all environments, by its path below the engine.
PATHS = {path: name for scope in SCOPES for path, name in scope.paths.items()}


def scope_of(role: str) -> Scope:
    """The scope of a role; the specification's for a role with another name."""
    return next((scope for scope in SCOPES if scope.role == role), SHARED)


def read(folder: Path) -> Mapping[str, str]:
    """The rules of the specification's five policies, by name.

    Raises:
        UsageError: A file is missing.
    """
    missing = [name for name in NAMES if not (folder / f"{name}.hcl").is_file()]
    if missing:
        raise UsageError(
            f"{folder} does not contain {', '.join(f'{name}.hcl' for name in missing)}.",
            RESTORE,
        )
    return {name: (folder / f"{name}.hcl").read_text() for name in NAMES}
