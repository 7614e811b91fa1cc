"""The secrets file: made once, read strictly, never shown."""

from __future__ import annotations

from pathlib import Path

import pytest

from vrooli.errors import UsageError
from vrooli.secrets import catalog, env_file


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A complete file with first values."""
    path = tmp_path / ".env.dev"
    assert env_file.write_first(path)
    return path


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def test_first_file_is_private_and_complete(path: Path) -> None:
    assert path.stat().st_mode & 0o777 == 0o600
    values = env_file.read(path)
    assert {item: set(values[item]) for item in values} == {
        spec.path: {key.name for key in spec.keys} for spec in catalog.ALL
    }


def test_first_passwords_differ_from_file_to_file(path: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    env_file.write_first(other)
    assert env_file.read(path) != env_file.read(other)


def test_file_that_exists_is_kept(path: Path) -> None:
    before = path.read_text()
    assert not env_file.write_first(path)
    assert path.read_text() == before


def test_all_missing_keys_are_named_with_the_file(path: Path) -> None:
    edit(path, "DB_PASSWORD=", "DB_PASS=")
    edit(path, "OPENAI_API_KEY=", "# ")
    with pytest.raises(UsageError, match="DB_PASSWORD") as raised:
        env_file.read(path)
    assert "OPENAI_API_KEY" in raised.value.message
    assert str(path) in raised.value.message
    assert raised.value.exit_code == 2


def test_empty_password_is_missing_but_an_empty_api_key_is_not(path: Path) -> None:
    lines = [
        "REDIS_PASSWORD=" if line.startswith("REDIS_PASSWORD") else line
        for line in path.read_text().splitlines()
    ]
    path.write_text("\n".join(lines))
    with pytest.raises(UsageError, match=r"no value for: REDIS_PASSWORD\.$"):
        env_file.read(path)


def test_file_that_others_can_read_is_refused(path: Path) -> None:
    path.chmod(0o640)
    with pytest.raises(UsageError, match=r"mode 0640") as raised:
        env_file.read(path)
    assert raised.value.advice == f"Make it private: chmod 600 {path}"


def test_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="No such file"):
        env_file.read(tmp_path / "none")


def test_file_that_is_no_text_is_refused(path: Path) -> None:
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UsageError, match="not a text file"):
        env_file.read(path)


def test_password_with_a_dollar_is_taken_as_it_stands(path: Path) -> None:
    edit(path, "STRIPE_SECRET_KEY=", "STRIPE_SECRET_KEY='a$HOME b#c'")
    assert env_file.read(path)[catalog.SERVER_JOBS.path]["STRIPE_SECRET_KEY"] == "a$HOME b#c"


def test_other_keys_go_to_server_and_jobs_and_only_public_ones_to_the_ui(path: Path) -> None:
    with path.open("a") as file:
        file.write("VITE_THEME=dark\nSENDGRID_KEY=private\n")
    values = env_file.read(path)
    assert values[catalog.SHARED_CONFIG.path]["VITE_THEME"] == "dark"
    assert values[catalog.SERVER_JOBS.path]["SENDGRID_KEY"] == "private"
    assert "SENDGRID_KEY" not in values[catalog.SHARED_CONFIG.path]


def test_line_without_a_value_is_never_shown(path: Path) -> None:
    edit(path, "DB_PASSWORD=", "pass phrase of mine ")
    with pytest.raises(UsageError) as raised:
        env_file.read(path)
    assert "phrase" not in f"{raised.value.message}{raised.value.advice}"


def test_key_pairs_that_values_read_are_added_once(path: Path) -> None:
    assert env_file.add_key_pairs(path, ["JWT_PRIV", "VAPID_PUBLIC_KEY"]) == [
        "JWT_PRIV",
        "JWT_PUB",
        "VAPID_PRIVATE_KEY",
        "VAPID_PUBLIC_KEY",
    ]
    values = env_file.read(path)[catalog.SERVER_JOBS.path]
    assert values["JWT_PRIV"].splitlines()[0] == "-----BEGIN PRIVATE KEY-----"
    assert values["JWT_PRIV"].splitlines()[-1] == "-----END PRIVATE KEY-----"
    before = path.read_text()
    assert env_file.add_key_pairs(path, ["JWT_PRIV", "VAPID_PUBLIC_KEY"]) == []
    assert path.read_text() == before
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_file_gets_no_key_pair_that_nothing_reads(path: Path) -> None:
    before = path.read_text()
    assert env_file.add_key_pairs(path, ["DB_PASSWORD"]) == []
    assert path.read_text() == before


def test_half_a_key_pair_that_values_read_is_refused(path: Path) -> None:
    with path.open("a") as file:
        file.write("JWT_PUB=of-somebody\n")
    before = path.read_text()
    with pytest.raises(UsageError, match="one key of a pair: JWT_PUB") as refused:
        env_file.add_key_pairs(path, ["JWT_PRIV", "JWT_PUB"])
    assert "of-somebody" not in f"{refused.value.message}{refused.value.advice}"
    assert path.read_text() == before
    assert env_file.add_key_pairs(path, ["DB_PASSWORD"]) == []
