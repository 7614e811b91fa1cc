"""How the values of upstream's keys change."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


class UnfitError(Exception):
    """The value has no place in this chart; the message is the reason, without the value."""


Change = Callable[[Any], Any]
# Services of this chart, by upstream's names of the Kubernetes Services.
SERVICES = {"nsfw-detector": "nsfwDetector"}
REDIS_PORT = 6379


def same(value: Any) -> Any:
    """Keep the value."""
    return value


def text(value: Any) -> str:
    """Write a scalar as environment variables hold it.

    Raises:
        UnfitError: It is a template, which this chart does not evaluate in values.
    """
    if isinstance(value, str):
        if "{{" in value:
            raise UnfitError("The chart does not evaluate templates in values.")
        return value
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def inverted(value: Any) -> bool:
    """Invert a switch."""
    return not value


def disabled(value: Any) -> bool:
    """Return false, whatever the value is."""
    del value
    return False


def filled(value: Any) -> Any:
    """Keep a value that is not empty.

    Raises:
        UnfitError: It is empty.
    """
    if value in ("", None):
        raise UnfitError("It is empty; the default of the chart applies.")
    return value


def probe_type(value: Any) -> str:
    """Convert upstream's switch between HTTP and TCP probes."""
    return "tcp" if value else "http"


def hyphenated(value: Any) -> str:
    """Replace the underscores in the name of a database user, which PGO rejects."""
    return text(value).replace("_", "-")


def service(value: Any) -> str:
    """Convert the name of a service in an Ingress path."""
    return SERVICES.get(text(value), text(value))


def templates(value: Any) -> Any:
    """Convert templates of VSO: the data of a secret are `.Secrets`, not `.Data`."""
    if not isinstance(value, dict):
        return value
    return {key: str(item).replace(".Data.", ".Secrets.") for key, item in value.items()}
