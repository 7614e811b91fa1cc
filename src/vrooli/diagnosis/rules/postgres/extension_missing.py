"""A database lacks an extension: the image does not contain it, or nothing has created it."""

from __future__ import annotations

import re
from collections.abc import Iterator

from vrooli.diagnosis.evidence.components import postgres
from vrooli.diagnosis.evidence.log_search import quoted, recent_lines
from vrooli.diagnosis.evidence.model import Evidence, LogSource
from vrooli.diagnosis.interface import Rule, Symptom
from vrooli.kube.objects import Ref

# Of CREATE EXTENSION, and of a statement that uses a type of an extension.
WORDS = re.compile(
    r'extension "(?P<extension>[a-z][a-z0-9_-]*)" is not available'
    r'|type "(?P<type>citext|vector|halfvec|hstore)" does not exist'
)
# The extension that contains a type, if their names differ.
EXTENSIONS = {"halfvec": "vector"}


def find(evidence: Evidence) -> Iterator[Symptom]:
    """Yield the cluster, or the pod that logged the error, for each missing extension."""
    missing: dict[tuple[Ref, str, bool], list[tuple[LogSource, str]]] = {}
    for source, line in recent_lines(evidence, WORDS.pattern):
        match = WORDS.search(line)
        if match is not None:
            name = match["extension"] or EXTENSIONS.get(match["type"], match["type"])
            key = _resource(evidence, source), name, bool(match["extension"])
            missing.setdefault(key, []).append((source, line))
    for (resource, name, lacks_files), lines in missing.items():
        yield Symptom(
            resource=resource,
            message=_message(name, lacks_files=lacks_files),
            remediation=_remedy(name, lacks_files=lacks_files),
            command=f"kubectl describe {resource.words}",
            evidence=quoted(lines, 2),
        )


def _message(name: str, *, lacks_files: bool) -> str:
    if lacks_files:
        return f"the image of PostgreSQL does not contain the extension {name}."
    return f"the extension {name} does not exist in the database."


def _remedy(name: str, *, lacks_files: bool) -> str:
    if lacks_files:
        return (
            f"Set pgoPostgresql.image to an image of the same version that contains {name}, and "
            "deploy; or remove it from pgoPostgresql.extensions and from the migrations."
        )
    return (
        f'As a superuser run: CREATE EXTENSION "{name}" SCHEMA public; in the database of the '
        "application. pgoPostgresql.extensions applies to new clusters only."
    )


def _resource(evidence: Evidence, source: LogSource) -> Ref:
    """The cluster of the release in this namespace, else the pod."""
    clusters = (ref for ref, _ in postgres.clusters(evidence) if ref.namespace == source.namespace)
    return next(clusters, Ref("Pod", source.pod, source.namespace))


RULE = Rule(
    rule_id="postgres-extension-missing",
    title='`extension "…" is not available`, `type "vector" does not exist`',
    find=find,
    link="https://www.postgresql.org/docs/current/sql-createextension.html",
)
