"""The catalog's groups replace packages that Kubernetes does not need."""

import re

from vrooli.programs import replacements
from vrooli.programs.catalog import GROUPS


def test_traefik_is_built_without_the_providers_of_clouds() -> None:
    group = next(group for group in GROUPS if "traefik" in group.packages)
    assert list(replacements.modules(group)) == [
        "github.com/go-acme/lego/v4",
        "github.com/traefik/traefik/v3",
    ]
    files = sorted((group.go_dir / replacements.FOLDER).rglob("*.go"))
    imports = [re.findall(r'^\s+"(\S+)"$', file.read_text(), re.MULTILINE) for file in files]
    assert imports == [
        ["fmt", "github.com/go-acme/lego/v4/challenge"],
        [
            "errors",
            "github.com/traefik/traefik/v3/pkg/config/dynamic",
            "github.com/traefik/traefik/v3/pkg/safe",
        ],
    ]
