"""A diagnosis and all that it stands on in one archive, without secrets, to keep or to send.

The same findings give the same archive, byte for byte.
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

# Objects of one kind and events of all that are kept: thousands of pods tell what some tell.
OBJECTS, EVENTS = 300, 2000
# Of a longer answer the rest tells nothing, characters.
ANSWER = 4000
_UNSAFE = re.compile(r"[^A-Za-z0-9._:@=-]")
_README = """What `vrooli diagnose` saw, without secrets.

page.html      all of it to read in a browser; needs no network
findings.json  the root causes, what follows from each, what couldn't be seen
objects/       the objects, by namespace, kind and name; Secrets and environments
               without values
events.json    what happened, the oldest first
logs/          the ends of logs, by namespace, pod and container; .previous: before its restart
answers.json   what was asked in the cluster, such as Vault's health
helm.json      Helm's history of the release
metrics/       what pods and nodes use; the metrics of the server and of the jobs
versions.json  what runs, and what looked
"""


@dataclass(frozen=True)
class Contents:
    """What a bundle is made of.

    Attributes:
        evidence: What was seen.
        diagnosis: What was found; without secrets.
        more: What was looked at for the bundle only.
        records: Helm's history, the oldest first.
        redactor: Keeps secrets out.
        failure: Why it was looked at, where a deploy failed; without secrets.
    """

    evidence: Evidence
    diagnosis: Diagnosis
    more: More
    records: Sequence[ReleaseRecord]
    redactor: Redactor
    failure: str = ""

    def unavailable(self) -> list[Unavailable]:
        """What couldn't be looked at, each reason once."""
        hidden = (
            replace(item, reason=self.redactor.text(item.reason)) for item in self.more.unavailable
        )
        unavailable = [*self.diagnosis.unavailable, *hidden]
        if not self.evidence.is_readable("Secret"):
            why = "Secrets can't be read: their values are masked only where they look like some"
            unavailable.append(Unavailable("what is secret", why))
        return grouped(unavailable)

    def missing(self) -> list[Unavailable]:
        """That of it without which nobody can say that the release is healthy, each reason once."""
        return grouped(self.diagnosis.missing)


def demand_place(path: Path, *, force: bool) -> None:
    """See that a bundle can be written there, before anything is looked at.

    Raises:
        UsageError: There is a file already, or no such folder.
    """
    if path.is_dir() or not path.parent.is_dir() or not os.access(path.parent, os.W_OK):
        raise UsageError(
            f"The bundle can't be written to {path}.", "Name a file in a folder that you may write."
        )
    if path.exists() and not force:
        raise UsageError(f"{path} is there already.", "Name another file, or add --force.")


def write(path: Path, contents: Contents) -> None:
    """Write it, for its owner only, all at once: a file there is replaced as a whole."""
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
            f"logs/{_log_place(source)}": "".join(f"{line}\n" for line in lines)
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
            f"metrics/{_place(name)}.txt": redactor.text(text)
            for name, text in extras.metrics.items()
        },
    }


def findings(contents: Contents) -> Mapping[str, Any]:
    """What was found, as JSON has it."""
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
    """Some of each kind, those in trouble first."""
    for kind in sorted(evidence.objects):
        bodies = evidence.objects[kind]
        if kind == "Pod" and len(bodies) > OBJECTS:
            bodies = sorted(bodies, key=is_pod_ready)
        yield from (pruned(body) for body in bodies[:OBJECTS])


def _logs(contents: Contents) -> Mapping[LogSource, Sequence[str]]:
    """Those of the bundle, and those that the rules read where reading again failed."""
    return {**contents.evidence.logs, **contents.more.logs}


def _truncated(answer: Body) -> Body:
    """An answer that is masked already: what is cut before could be a piece of a secret."""
    return {**answer, "text": answer["text"][:ANSWER]}


def _title(source: LogSource) -> str:
    return f"{source.namespace}/{source}"


def _log_place(source: LogSource) -> str:
    ending = ".previous.log" if source.previous else ".log"
    return f"{_place(source.namespace, source.pod, source.container)}{ending}"


def _place(*parts: str) -> str:
    """A path of names: whatever an object is called, it leads nowhere else."""
    safe = (_UNSAFE.sub("_", part).lstrip(".") or "_" for part in parts)
    return str(PurePosixPath(*safe))


def _json(value: Any) -> str:
    return json.dumps(value, indent=1, sort_keys=True, default=str, ensure_ascii=False) + "\n"
