"""Values and manifests as YAML text."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import yaml

# The width of the text, characters.
WIDTH = 100
# Texts that Helm and kubectl read as booleans or numbers without quotes, and PyYAML does not
# (https://pkg.go.dev/gopkg.in/yaml.v3, "Compatibility"): y, 1e3, 0o17, 0X1F. They leave out each
# underscore before they read a number.
AMBIGUOUS = re.compile(
    r"[yYnN]|[-+]?(0[xX][0-9a-fA-F]+|0[bB][01]+|0[oO][0-7]+"
    r"|(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?)"
)


def dump(value: Mapping[str, Any]) -> str:
    """Write a mapping in the order of its keys, with texts of several lines as block scalars.

    PyYAML, Helm and kubectl read the same values from it.
    """
    return yaml.dump(dict(value), Dumper=_Dumper, sort_keys=False, width=WIDTH)


class _Dumper(yaml.SafeDumper):
    def ignore_aliases(self, data: Any) -> bool:
        """Repeat equal parts, which readers expect in values."""
        del data
        return True


def _represent_text(dumper: _Dumper, value: str) -> Any:
    quote = "'" if AMBIGUOUS.fullmatch(value.replace("_", "")) else ""
    style = "|" if "\n" in value else quote
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=style)


_Dumper.add_representer(str, _represent_text)
