"""The bundle: one archive with all that was seen, for its owner only, without secrets."""

from __future__ import annotations

import io
import json
import tarfile
from dataclasses import replace
from pathlib import Path

import pytest

from support.diagnosis.evidence import evidence, pod, pod_of, with_objects
from support.secrets.canaries import canaries, leaked
from support.secrets.planted_secrets import SETTINGS
from support.secrets.recorded_failure import contents, planted, settled
from vrooli.diagnosis.bundle import archive as bundle_archive
from vrooli.diagnosis.bundle.archive import Contents
from vrooli.diagnosis.evidence.model import Answer, LogSource
from vrooli.errors import UsageError
from vrooli.kube.objects import Ref
from vrooli.redaction import Redactor

PLANTED = list(canaries(8))
# With those that stand in environments only.
ALL = [*PLANTED, *SETTINGS]


@pytest.fixture(scope="module")
def sick() -> Contents:
    """A release in trouble, with two hundred planted secrets."""
    return planted(PLANTED)


def read(packed: bytes) -> dict[str, str]:
    """The texts in an archive, by their path."""
    with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
        found = {item.name: archive.extractfile(item) for item in archive.getmembers()}
        return {name: file.read().decode() for name, file in found.items() if file}


def test_it_holds_no_planted_secret_in_any_file(sick: Contents) -> None:
    assert len(PLANTED) >= 200
    for name, text in read(bundle_archive.packed("x", sick)).items():
        assert leaked(ALL, text) == [], name


def test_the_findings_say_no_planted_secret_and_name_the_cause(sick: Contents) -> None:
    told = json.dumps(bundle_archive.findings(sick), default=str)
    assert leaked(ALL, told) == []
    (cause, *_) = bundle_archive.findings(sick)["causes"]
    assert cause["finding"]["rule_id"] == "image-pull"
    assert "localhost/vrooli/server:dev" in cause["finding"]["message"]


def test_it_holds_all_that_was_seen(sick: Contents) -> None:
    found = read(bundle_archive.packed("x", sick))
    assert {
        *("x/README.txt", "x/page.html", "x/findings.json", "x/events.json", "x/answers.json"),
        *("x/helm.json", "x/versions.json", "x/metrics/pods.json"),
        "x/objects/dev/Deployment/vrooli-dev-server.json",
        "x/logs/dev/vrooli-dev-server-5d9c7b-abcde/server.log",
        "x/logs/dev/vrooli-dev-server-5d9c7b-abcde/server.previous.log",
        "x/metrics/vrooli-dev-server-5d9c7b-abcde.txt",
    } <= found.keys()
    body = json.loads(found["x/objects/dev/Deployment/vrooli-dev-server.json"])
    assert body["metadata"]["name"] == "vrooli-dev-server"


def test_the_same_contents_give_the_same_bytes() -> None:
    seen = contents(settled(), Redactor())
    assert bundle_archive.packed("x", seen) == bundle_archive.packed("x", seen)


def test_only_its_owner_may_read_it_and_nothing_is_left_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "b.tar.gz"
    bundle_archive.write(path, contents(settled(), Redactor()))
    assert path.stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.iterdir()) == [path]
    assert {name.split("/")[0] for name in read(path.read_bytes())} == {
        "vrooli-diagnosis-vrooli-dev"
    }


def test_a_file_that_is_there_is_replaced_only_by_force(tmp_path: Path) -> None:
    path = tmp_path / "b.tar.gz"
    path.write_text("mine")
    with pytest.raises(UsageError, match="already exists"):
        bundle_archive.demand_place(path, force=False)
    bundle_archive.demand_place(path, force=True)


@pytest.mark.parametrize("name", ["missing/b.tar.gz", "."])
def test_a_place_that_cannot_be_written_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match="cannot be written"):
        bundle_archive.demand_place(tmp_path / name, force=True)


def test_a_name_of_another_format_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"tar archive, and b\.zip") as refused:
        bundle_archive.demand_place(tmp_path / "b.zip", force=False)
    assert ".tar.gz" in refused.value.advice
    bundle_archive.demand_place(tmp_path / "b.tgz", force=False)


def test_what_fails_while_it_is_written_leaves_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "b.tar.gz"
    path.write_text("mine")

    def fail(handle: int) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(bundle_archive.os, "fsync", fail)
    with pytest.raises(OSError, match="disk full"):
        bundle_archive.write(path, contents(settled(), Redactor()))
    assert [(item, item.read_text()) for item in tmp_path.iterdir()] == [(path, "mine")]


def test_names_of_objects_lead_nowhere_else() -> None:
    odd = pod("../../etc/passwd", namespace="..")
    seen = replace(evidence(odd), logs={LogSource("..", "../../x", "/etc/shadow"): ["a line"]})
    for name in read(bundle_archive.packed("x", contents(seen, Redactor()))):
        assert ".." not in Path(name).parts
        assert not name.startswith("/")


def test_of_thousands_of_pods_those_in_trouble_are_kept() -> None:
    pods = [pod(f"calm-{number}") for number in range(bundle_archive.OBJECTS + 50)]
    seen = evidence(*pods, pod("sick", ready=False))
    kept = [name for name in bundle_archive.files(contents(seen, Redactor())) if "/Pod/" in name]
    assert len(kept) == bundle_archive.OBJECTS
    assert "objects/dev/Pod/sick.json" in kept


def test_copies_of_objects_in_annotations_are_left_out(sick: Contents) -> None:
    found = bundle_archive.files(sick)["objects/dev/Pod/vrooli-dev-server-5d9c7b-abcde.json"]
    assert "last-applied-configuration" not in found
    assert "example.com/noted" in found


@pytest.mark.parametrize("kind", ["Pod", "Deployment", "ReplicaSet", "CronJob", "RedisFailover"])
def test_of_an_environment_the_names_stay_and_where_values_come_from(kind: str) -> None:
    source = {"secretKeyRef": {"name": "mail", "key": "password"}}
    env = [
        {"name": "SMTP_LOGIN", "value": "correct horse battery"},
        {"name": "SMTP_PORT", "value": "25"},
        {"name": "MAIL", "valueFrom": source},
    ]
    spec = {"containers": [{"name": "server", "env": env}]}
    template = {"template": {"spec": spec}}
    specs = {"Pod": spec, "CronJob": {"jobTemplate": {"spec": template}}}
    body = {
        "kind": kind,
        "metadata": {
            "name": "it",
            "namespace": "dev",
            "labels": {"env": "prod"},
            "annotations": {"example.com/copy": json.dumps({"spec": spec})},
        },
        "spec": specs.get(kind, template),
    }
    found = bundle_archive.files(contents(evidence(body), Redactor()))
    kept = found[f"objects/dev/{kind}/it.json"]
    assert "correct horse battery" not in "".join(found.values())
    assert '"25"' not in kept
    assert '"env": "prod"' in kept
    for name in ("SMTP_LOGIN", "SMTP_PORT", "MAIL", "secretKeyRef"):
        assert name in kept


def test_a_long_answer_is_cut_where_no_piece_of_a_secret_stays() -> None:
    secret = PLANTED[0]
    said = f"{'x' * (bundle_archive.ANSWER - len(secret.secret) // 2)}{secret.secret} more of it"
    seen = replace(evidence(), answers=(Answer("health-answer", Ref("Pod", "a", "dev"), said),))
    (answer,) = json.loads(
        bundle_archive.files(contents(seen, Redactor([secret.secret])))["answers.json"]
    )
    assert leaked([secret], answer["text"]) == []
    assert len(answer["text"]) == bundle_archive.ANSWER


def test_that_secrets_could_not_be_read_is_said() -> None:
    seen = evidence(pod_of("vrooli-dev-server"))
    blind = replace(seen, objects={k: v for k, v in seen.objects.items() if k != "Secret"})
    assert "values of Secrets" in [
        item.resource for item in contents(blind, Redactor()).unavailable()
    ]
    assert contents(with_objects(seen), Redactor()).unavailable() == []
    # Those of other namespaces were read, and are no help.
    late = replace(with_objects(seen), hidden={("Secret", "dev")})
    assert "values of Secrets" in [
        item.resource for item in contents(late, Redactor()).unavailable()
    ]
