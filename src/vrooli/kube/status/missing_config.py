"""Parse the missing Secret, ConfigMap or key from the kubelet's message."""

from __future__ import annotations

import re
from dataclasses import dataclass

_KINDS = {"secret": "Secret", "configmap": "ConfigMap", "config": "ConfigMap"}
# For an environment or a volume: the API server's words.
_OBJECT = re.compile(r'(secret|configmap) "([^"]+)" not found', re.IGNORECASE)
# For an environment (kubelet: kuberuntime_container.go, "couldn't find key").
_KEY = re.compile(r"couldn't find key (\S+) in (Secret|ConfigMap) (?:[^/\s]+/)?(\S+)")
# For a volume; the object is not named (kubelet: volume/secret, volume/configmap).
_VOLUME_KEY = re.compile(r"references non-existent (secret|config) key: (\S+)")


@dataclass(frozen=True)
class MissingConfig:
    """A Secret or ConfigMap that a container waits for, or a key of one.

    Attributes:
        kind: Secret or ConfigMap.
        name: Its name; empty if the message does not say.
        key: The key that it lacks; empty if the whole object is missing.
    """

    kind: str
    name: str = ""
    key: str = ""


def parse_missing_config(message: str) -> MissingConfig | None:
    """The missing object in a kubelet's message or event; None if it is about something else."""
    if match := _OBJECT.search(message):
        return MissingConfig(_KINDS[match[1].lower()], match[2])
    if match := _KEY.search(message):
        return MissingConfig(match[2], match[3], match[1])
    if match := _VOLUME_KEY.search(message):
        return MissingConfig(_KINDS[match[1]], key=match[2])
    return None
