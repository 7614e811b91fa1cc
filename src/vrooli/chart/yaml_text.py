"""Values and manifests as YAML text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import yaml

# The width of the text, characters.
WIDTH = 100


def dump(value: Mapping[str, Any]) -> str:
    """Write a mapping in the order of its keys, with texts of several lines as block scalars."""
    return yaml.dump(dict(value), Dumper=_Dumper, sort_keys=False, width=WIDTH)


class _Dumper(yaml.SafeDumper):
    def ignore_aliases(self, data: Any) -> bool:
        """Repeat equal parts, which readers expect in values."""
        del data
        return True


def _represent_text(dumper: _Dumper, value: str) -> Any:
    return dumper.represent_scalar(
        "tag:yaml.org,2002:str", value, style="|" if "\n" in value else ""
    )


_Dumper.add_representer(str, _represent_text)
