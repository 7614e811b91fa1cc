"""Separate the facts about a Secret from its values, which are only used for redaction."""

from __future__ import annotations

import base64
import hmac
import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from cryptography import x509

from vrooli.diagnosis.evidence.model import SecretFacts
from vrooli.kube.objects import Body, Ref, items, mapping, ref_of, text
from vrooli.kube.times import parse_time
from vrooli.redaction import secret_values
from vrooli.secrets import usable

# Helm's records of releases are Secrets too.
HELM = "helm.sh/"
# A random key of this process: the hashes only show whether two values are equal.
_KEY = os.urandom(32)
_CERTIFICATE = b"-----BEGIN CERTIFICATE-----"


@dataclass(frozen=True)
class Read:
    """A Secret that was read.

    Attributes:
        ref: Its reference.
        body: The object without its values.
        facts: The facts about its values.
        values: The values to redact.
    """

    ref: Ref
    body: Body
    facts: SecretFacts
    values: tuple[str, ...]


def read(secret: Body) -> Read:
    """Separate the facts from the values."""
    metadata = {
        name: value
        for name, value in mapping(secret, "metadata").items()
        if name not in ("managedFields", "annotations")
    }
    body = {"kind": "Secret", "metadata": metadata, "type": text(secret, "type")}
    return Read(ref_of(body), body, _facts(secret), tuple(secret_values([secret])))


def _facts(secret: Body) -> SecretFacts:
    kind = text(secret, "type")
    raw = {} if kind.startswith(HELM) else _decoded(mapping(secret, "data"))
    return SecretFacts(
        type=kind,
        lengths={key: len(value) for key, value in raw.items()},
        trimmed=frozenset(key for key, value in raw.items() if value != value.strip()),
        expires={key: end for key, value in raw.items() if (end := _end(value)) is not None},
        marks={key: hmac.digest(_KEY, value, "sha256").hex() for key, value in raw.items()},
        changed=_changed(secret),
        problems={
            key: reason
            for key, value in raw.items()
            if (reason := usable.problem(key, value.decode(errors="replace")))
        },
    )


def _changed(secret: Body) -> datetime | None:
    """When a manager last changed a value of a Secret; None if unknown."""
    times = [
        time
        for entry in items(secret, "metadata", "managedFields")
        if "f:data" in mapping(entry, "fieldsV1")
        if (time := parse_time(text(entry, "time"))) is not None
    ]
    return max(times, default=None)


def _decoded(data: Mapping[str, object]) -> dict[str, bytes]:
    decoded = {}
    for key, value in data.items():
        try:
            decoded[key] = base64.b64decode(str(value), validate=True)
        except ValueError:  # binascii.Error is one, too
            decoded[key] = b""
    return decoded


def _end(value: bytes) -> datetime | None:
    """When the certificate in a value expires; None if there is none."""
    if _CERTIFICATE not in value:
        return None
    try:
        return x509.load_pem_x509_certificate(value).not_valid_after_utc
    except ValueError:
        return None
