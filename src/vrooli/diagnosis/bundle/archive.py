"""Write a diagnosis and its evidence to one archive without secrets.

The same content produces the same archive, byte for byte.
"""

from __future__ import annotations

import gzip
import io
import json
import os
import re
import tarfile
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import Any

from vrooli import inert
from vrooli.diagnosis.bundle import html
from vrooli.diagnosis.bundle.extras import More
from vrooli.diagnosis.bundle.sanitize import pruned
from vrooli.diagnosis.evidence.model import Evidence, LogSource
from vrooli.diagnosis.evidence.unavailable import grouped
from vrooli.diagnosis.interface import Diagnosis
from vrooli.errors import UsageError
from vrooli.kube.objects import Body, ref_of
from vrooli.kube.status import is_pod_ready
from vrooli.kube.unavailable import Unavailable
from vrooli.redaction import Redactor
from vrooli.release.records.storage import ReleaseRecord

# The maximum number of objects of each kind, and of events.
OBJECTS, EVENTS = 300, 2000
# The endings of an archive's name.
SUFFIXES = (".tar.gz", ".tgz")
# The maximum length of a response, characters.
ANSWER = 4000
_UNSAFE = re.compile(r"[^A-Za-z0-9._:@=-]")
_README = """The evidence that `vrooli diagnose` collected, without secrets.

page.html      the report for a browser; needs no network
findings.json  the root causes with their consequences, and what could not be read
objects/       the objects, by namespace, kind and name; Secrets and environments
               without values
events.json    the events, the oldest first
logs/          the last lines of logs, by namespace, pod and container;
               .previous: before a restart
answers.json   the results of the probes, such as Vault's health
helm.json      Helm's history of the release
metrics/       the resource usage of pods and nodes; the metrics of the server and of the jobs
versions.json  the versions of the cluster, the images and vrooli
"""


@dataclass(frozen=True)
class Contents:
    """The content of a bundle.

    Attributes:
        evidence: The evidence.
        diagnosis: The diagnosis, without secrets.
        more: The data that only a bundle contains.
        records: Helm's history, the oldest first.
        redactor: Redacts secrets.
        failure: Why a deploy failed, if that is the reason for the diagnosis; without secrets.
    """

    evidence: Evidence
    diagnosis: Diagnosis
    more: More
    records: Sequence[ReleaseRecord]
    redactor: Redactor
    failure: str = ""

    def unavailable(self) -> list[Unavailable]:
        """The data that could not be read, grouped by reason."""
        hidden = (
            replace(item, reason=self.redactor.text(item.reason)) for item in self.more.unavailable
        )
        unavailable = [*self.diagnosis.unavailable, *hidden]
        if not self.evidence.is_readable("Secret"):
            why = "Secrets cannot be read: values are redacted only if they look like secrets"
            unavailable.append(Unavailable("values of Secrets", why))
        return grouped(unavailable)

    def missing(self) -> list[Unavailable]:
        """The missing data that is required to call the release healthy, grouped by reason."""
        return grouped(self.diagnosis.missing)


def demand_place(path: Path, *, force: bool) -> None:
    """Check that a bundle can be written to a path, before anything is read.

    Raises:
        UsageError: The file exists, its name is that of another format, or the folder does not
            exist.
    """
    if path.is_dir() or not path.parent.is_dir() or not os.access(path.parent, os.W_OK):
        raise UsageError(
            f"The bundle cannot be written to {path}.", "Specify a file in a writable folder."
        )
    if not path.name.endswith(SUFFIXES):
        raise UsageError(
            f"The bundle is a tar archive, and {inert.line(path.name)} is not named as one.",
            f"Specify a name that ends with {' or '.join(SUFFIXES)}.",
        )
    if path.exists() and not force:
        raise UsageError(f"{path} already exists.", "Specify a different file, or use --force.")


def write(path: Path, contents: Contents) -> None:
    """Write the archive atomically, readable by its owner only; replaces an existing file."""
    with tempfile.NamedTemporaryFile(
        dir=path.parent, prefix=f".{path.name}-", delete=False
    ) as file:
        try:
            file.write(packed(f"vrooli-diagnosis-{contents.evidence.release}", contents))
            file.flush()
            os.fsync(file.fileno())
            Path(file.name).replace(path)
        except BaseException:
            Path(file.name).unlink(missing_ok=True)
            raise


def packed(folder: str, contents: Contents) -> bytes:
    """The archive's bytes."""
    when = contents.evidence.now
    out = io.BytesIO()
    with (
        gzip.GzipFile(fileobj=out, mode="wb", mtime=int(when.timestamp())) as zipped,
        tarfile.open(fileobj=zipped, mode="w", format=tarfile.PAX_FORMAT) as archive,
    ):
        for name, text in sorted(files(contents).items()):
            _add(archive, f"{folder}/{name}", text.encode(errors="replace"), when)
    return out.getvalue()


def _add(archive: tarfile.TarFile, name: str, content: bytes, when: datetime) -> None:
    info = tarfile.TarInfo(name)
    info.size, info.mode, info.mtime = len(content), 0o600, int(when.timestamp())
    archive.addfile(info, io.BytesIO(content))


def files(contents: Contents) -> dict[str, str]:
    """Each file's text by its path, without secrets."""
    evidence, redactor = contents.evidence, contents.redactor
    objects = {ref_of(body): redactor.tree(body) for body in _objects(evidence)}
    events = redactor.tree([asdict(item) for item in evidence.events[-EVENTS:]])
    logs = {source: redactor.lines(lines) for source, lines in sorted(_logs(contents).items())}
    history = redactor.tree([asdict(record.revision) for record in contents.records])
    answers = [_truncated(redactor.tree(asdict(answer))) for answer in evidence.answers]
    view = html.View(
        release=evidence.release,
        namespace=evidence.namespace,
        when=evidence.now,
        failure=contents.failure,
        causes=contents.diagnosis.causes,
        unavailable=contents.unavailable(),
        objects=list(objects.values()),
        events=events,
        logs={_title(source): lines for source, lines in logs.items()},
        versions=contents.more.versions,
    )
    return {
        "README.txt": _README,
        "page.html": html.render(view),
        "findings.json": _json(findings(contents)),
        "events.json": _json(events),
        "answers.json": _json(answers),
        "helm.json": _json(history),
        "versions.json": _json(redactor.tree(contents.more.versions)),
        **{
            f"objects/{_place(ref.namespace, ref.kind, ref.name)}.json": _json(body)
            for ref, body in objects.items()
        },
        **{
            f"logs/{_log_place(source)}": "".join(f"{inert.line(line)}\n" for line in lines)
            for source, lines in logs.items()
        },
        **_metrics(contents),
    }


def _metrics(contents: Contents) -> dict[str, str]:
    """The files with the usage of pods and nodes and with the metrics of pods."""
    redactor, extras = contents.redactor, contents.more
    return {
        **{
            f"metrics/{name}.json": _json(redactor.tree(used)) for name, used in extras.used.items()
        },
        **{
            f"metrics/{_place(name)}.txt": inert.lines(redactor.text(text))
            for name, text in extras.metrics.items()
        },
    }


def findings(contents: Contents) -> Mapping[str, Any]:
    """The diagnosis as JSON."""
    evidence = contents.evidence
    return {
        "release": evidence.release,
        "namespace": evidence.namespace,
        "time": evidence.now.isoformat(timespec="seconds"),
        "failure": contents.failure,
        "helm": contents.redactor.tree(asdict(evidence.helm)),
        "causes": [
            {
                "finding": asdict(cause.finding),
                "consequences": [asdict(item) for item in cause.consequences],
            }
            for cause in contents.diagnosis.causes
        ],
        "missing": [_unavailable(item) for item in contents.missing()],
        "unavailable": [_unavailable(item) for item in contents.unavailable()],
    }


def _unavailable(item: Unavailable) -> Mapping[str, str]:
    return {"resource": item.resource, "reason": item.reason, "advice": item.advice}


def _objects(evidence: Evidence) -> Iterator[Body]:
    """Up to a maximum of objects of each kind, unhealthy pods first."""
    for kind in sorted(evidence.objects):
        bodies = evidence.objects[kind]
        if kind == "Pod" and len(bodies) > OBJECTS:
            bodies = sorted(bodies, key=is_pod_ready)
        yield from (pruned(body) for body in bodies[:OBJECTS])


def _logs(contents: Contents) -> Mapping[LogSource, Sequence[str]]:
    """The logs of the bundle, and those of the rules that could not be read again."""
    return {**contents.evidence.logs, **contents.more.logs}


def _truncated(answer: Body) -> Body:
    """Truncate a response after redaction: a truncated secret would not be recognized."""
    return {**answer, "text": answer["text"][:ANSWER]}


def _title(source: LogSource) -> str:
    return f"{source.namespace}/{source}"


def _log_place(source: LogSource) -> str:
    ending = ".previous.log" if source.previous else ".log"
    return f"{_place(source.namespace, source.pod, source.container)}{ending}"


def _place(*parts: str) -> str:
    """A safe path of names: no object name can escape the folder."""
    safe = (_UNSAFE.sub("_", part).lstrip(".") or "_" for part in parts)
    return str(PurePosixPath(*safe))


def _json(value: Any) -> str:
    return inert.json(
        json.dumps(value, indent=1, sort_keys=True, default=str, ensure_ascii=False) + "\n"
    )
