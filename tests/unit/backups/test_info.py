"""What pgBackRest reports, and how long a backup is retained."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from support.release.repository import START, backup, report
from vrooli.backups.info import Info, Retention, parse_info, remaining_fulls, retained_until


def test_the_backups_of_all_repositories_are_read_oldest_first() -> None:
    output = report(
        backup("20261130-030000F", seconds=500, repository=2),
        backup("20261129-094420F"),
        repositories=2,
    )
    info = parse_info(output)
    assert [item.label for item in info.backups] == ["20261129-094420F", "20261130-030000F"]
    assert [item.label for item in info.of(2)] == ["20261130-030000F"]
    first = info.backups[0]
    assert first.stopped == datetime.fromtimestamp(START, UTC) + timedelta(seconds=10)
    assert (first.size, first.stored) == (31_239_597, 4_130_341)


def test_a_repository_without_backups_can_be_used() -> None:
    info = parse_info(report(code=2, message="no valid backups"))
    assert [state.problem for state in info.repositories] == [None]


def test_a_repository_without_a_stanza_cannot_be_used() -> None:
    info = parse_info(report(code=1, message="missing stanza path"))
    assert _reasons(info) == ["missing stanza path"]


def test_a_repository_that_cannot_be_decrypted_is_reported_without_its_bytes() -> None:
    message = "[FormatError] unable to load info file 'backup.info':\\nFormatError: \x08\x1b[2J"
    output = report(code=99, message="MESSAGE", cipher="aes-256-cbc").replace("MESSAGE", message)
    info = parse_info(output)
    (reason,) = _reasons(info)
    assert reason.startswith("it cannot be decrypted: the passphrase is not the one")
    assert "repo1-cipher-pass" in _advice(info)


def test_an_encrypted_repository_without_a_passphrase_is_reported() -> None:
    info = parse_info(report(code=99, message="[FormatError] at line 1: Salted__2Xz"))
    assert _reasons(info) == ["it is encrypted, but the release has no passphrase for it"]


def test_other_problems_are_reported_in_one_line() -> None:
    message = "[HostConnectError] unable to connect\nHINT: is it up?"
    info = parse_info(report(code=99, message=message, cipher="aes-256-cbc"))
    assert _reasons(info) == ["[HostConnectError] unable to connect HINT: is it up?"]
    assert _advice(info) == "Run `vrooli diagnose` to find the cause."


def _reasons(info: Info) -> list[str]:
    return [state.problem.reason for state in info.repositories if state.problem]


def _advice(info: Info) -> str:
    return " ".join(state.problem.advice for state in info.repositories if state.problem)


def test_the_newest_database_of_a_repository_is_its_own() -> None:
    databases = [
        {"id": number, "repo-key": 1, "system-id": number * 10**18, "version": "15"}
        for number in (2, 1)
    ]
    info = parse_info(report(databases=databases))
    assert [state.system for state in info.repositories] == ["2000000000000000000"]


def test_a_cluster_without_a_stanza_has_no_backups() -> None:
    assert parse_info("[]") == Info()


@pytest.mark.parametrize(
    ("label", "retention", "remaining"),
    [
        ("20261103-000000F", 2, 2),
        ("20261102-000000F", 2, 1),
        ("20261102-000000F_20261102-120000I", 2, 1),
        ("20261101-000000F", 2, 0),
        ("20261101-000000F", None, None),
    ],
)
def test_a_backup_is_retained_until_enough_newer_full_backups(
    label: str, retention: int | None, remaining: int | None
) -> None:
    labels = ("20261101-000000F", "20261102-000000F", "20261102-000000F_20261102-120000I")
    bodies = [backup(name, seconds=at) for at, name in enumerate((*labels, "20261103-000000F"))]
    info = parse_info(report(*bodies))
    (item,) = [one for one in info.backups if one.label == label]
    kept = None if retention is None else Retention(retention)
    assert remaining_fulls(item, info, kept) == remaining
    assert retained_until(item, info, kept) is None


@pytest.mark.parametrize(
    ("label", "following"),
    [
        ("20261101-000000F", 1),
        ("20261101-000000F_20261101-120000I", 1),
        ("20261102-000000F", 2),
        ("20261103-000000F", None),
    ],
)
def test_a_retention_in_days_counts_from_the_next_full_backup(
    label: str, following: int | None
) -> None:
    fulls = ("20261101-000000F", "20261102-000000F", "20261103-000000F")
    bodies = [backup(name, seconds=at * 86400) for at, name in enumerate(fulls)]
    bodies.append(backup("20261101-000000F_20261101-120000I", seconds=43200))
    info = parse_info(report(*bodies))
    (item,) = [one for one in info.backups if one.label == label]
    days = Retention(30, is_in_days=True)
    end = None
    if following is not None:
        (full,) = [one for one in info.backups if one.label == fulls[following]]
        end = full.stopped + timedelta(days=30)
    assert retained_until(item, info, days) == end
    assert remaining_fulls(item, info, days) is None


def test_a_backup_with_a_label_that_pgbackrest_does_not_make_is_left_out() -> None:
    assert parse_info(report(backup("20261130-030000F;rebootF"))).backups == ()
