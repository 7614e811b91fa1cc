"""Backups outside the cluster: S3, Google Cloud Storage and Azure Blob Storage."""

from __future__ import annotations

from typing import Any

import pytest

from support.chart.architecture import HERE, PEERS
from support.chart.network_policies import Peer, allows
from support.chart.rendering import render
from vrooli.errors import UsageError

GCS = {"enabled": True, "bucket": "gcs-bucket", "secretName": "gcs-key"}
AZURE = {"enabled": True, "container": "backups", "secretName": "azure-key"}
S3 = {"enabled": True, "bucket": "b", "endpoint": "s3.test", "region": "r", "secretName": "s3-key"}


def backrest(**backup: Any) -> dict[str, Any]:
    """The settings of pgBackRest in the PostgresCluster with these backups."""
    body = render({"pgoPostgresql": {"backup": backup}})["PostgresCluster/vrooli-pg"].body
    result: dict[str, Any] = body["spec"]["backups"]["pgbackrest"]
    return result


def test_each_place_has_a_repository_of_its_own_and_its_secret() -> None:
    result = backrest(s3=S3, gcs=GCS, azure=AZURE)
    repos = {repo["name"]: repo for repo in result["repos"]}
    assert list(repos) == ["repo1", "repo2", "repo3", "repo4"]
    assert repos["repo3"]["gcs"] == {"bucket": "gcs-bucket"}
    assert repos["repo4"]["azure"] == {"container": "backups"}
    assert repos["repo3"]["schedules"]["full"] == "0 4 * * 0"
    names = [item["secret"]["name"] for item in result["configuration"]]
    assert names == ["s3-key", "gcs-key", "azure-key"]


def test_a_repository_keeps_its_number_without_the_others() -> None:
    assert [repo["name"] for repo in backrest(azure=AZURE)["repos"]] == ["repo1", "repo4"]


def test_the_options_name_the_key_file_and_the_encryption() -> None:
    options = backrest(gcs=GCS, azure={**AZURE, "encrypted": False})["global"]
    assert options["repo3-gcs-key"] == "/etc/pgbackrest/conf.d/gcs-key.json"
    assert options["repo3-cipher-type"] == "aes-256-cbc"
    assert options["repo3-path"] == "/pgbackrest/somewhere/vrooli-pg/repo3"
    assert "repo4-cipher-type" not in options
    assert options["repo4-retention-full"] == "2"
    assert not any(key.startswith("repo2") for key in options)


@pytest.mark.parametrize(("kind", "settings"), [("gcs", GCS), ("azure", AZURE)])
def test_backups_can_connect_to_the_addresses_of_the_place_only(
    kind: str, settings: dict[str, Any]
) -> None:
    backup = {kind: {**settings, "cidrs": ["203.0.113.0/24"]}}
    objects = render({"pgoPostgresql": {"backup": backup}}).values()
    policies = [item.body for item in objects if item.kind == "NetworkPolicy"]
    inside, outside = Peer("", address="203.0.113.9"), Peer("", address="198.51.100.9")
    assert allows(policies, HERE, PEERS["backups"], inside, 443)
    assert not allows(policies, HERE, PEERS["backups"], outside, 443)


WRONG: list[tuple[dict[str, Any], str]] = [
    *(({"gcs": {**GCS, key: ""}}, f"/backup/gcs/{key}") for key in ("bucket", "secretName")),
    *(
        ({"azure": {**AZURE, key: ""}}, f"/backup/azure/{key}")
        for key in ("container", "secretName")
    ),
    ({"azure": {**AZURE, "container": "Upper"}}, "/backup/azure/container"),
    ({"azure": {**AZURE, "key": "secret"}}, "/backup/azure"),
    ({"gcs": {**GCS, "cidrs": ["203.0.113.1/24"]}}, "gcs.cidrs: 203.0.113.1/24 has bits"),
    (
        {"gcs": GCS, "azure": {**AZURE, "schedules": {"full": "0 4 * * 0"}}},
        r"azure.schedules.full: 0 4 \* \* 0 is also in backup.gcs.schedules",
    ),
    (
        {"schedules": {"full": "0 4 * * 0"}, "gcs": GCS},
        r"gcs.schedules.full: 0 4 \* \* 0 is also in backup.schedules",
    ),
]


@pytest.mark.parametrize(("backup", "message"), WRONG, ids=[message for _, message in WRONG])
def test_wrong_values_are_rejected(backup: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        render({"pgoPostgresql": {"backup": backup}})
