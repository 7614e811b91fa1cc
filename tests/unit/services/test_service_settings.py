"""The settings of server and jobs."""

from __future__ import annotations

import json
import logging

import pytest
from psycopg.conninfo import conninfo_to_dict

from vrooli import project
from vrooli_shared import redis_link
from vrooli_shared import settings as module
from vrooli_shared.buckets import Rate
from vrooli_shared.limits import ClientRates
from vrooli_shared.settings import Settings

SECRET = "hunter2-secret"


@pytest.fixture(autouse=True)
def _empty_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)


def test_the_charts_variables_are_understood(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the chart sets is what the service connects with."""
    for name, value in {
        "PORT": "5329",
        "DB_HOST": "vrooli-pg-pgbouncer",
        "DB_NAME": "vrooli",
        "DB_USER": "vrooli",
        "DB_PASSWORD": SECRET,
        "REDIS_SENTINEL_HOSTS": "rfs-a:26379, rfs-b",
        "OPENAI_API_KEY": "unused",
    }.items():
        monkeypatch.setenv(name, value)
    settings = Settings()
    connection = conninfo_to_dict(settings.conninfo())
    assert settings.sentinels() == [("rfs-a", 26379), ("rfs-b", 26379)]
    assert (connection["host"], connection["password"]) == ("vrooli-pg-pgbouncer", SECRET)
    assert connection["sslmode"] == "require"
    assert connection["connect_timeout"] == "3"


@pytest.mark.parametrize("part", [*" \t\n\"'\\#@/%$:?&=", "\u00e9"], ids=ascii)
def test_a_database_password_reaches_the_driver_as_it_is(
    monkeypatch: pytest.MonkeyPatch, part: str
) -> None:
    password = f"{part}a{part}b{part}"
    monkeypatch.setenv("DB_PASSWORD", password)
    monkeypatch.setenv("REDIS_SENTINEL_HOSTS", "rfs-a")
    assert conninfo_to_dict(Settings().conninfo())["password"] == password


def test_every_log_level_of_the_chart_is_valid(monkeypatch: pytest.MonkeyPatch) -> None:
    schema = json.loads((project.chart_dir() / "values.schema.json").read_text())
    monkeypatch.setenv("REDIS_SENTINEL_HOSTS", "rfs-a")
    for level in schema["properties"]["config"]["properties"]["logLevel"]["enum"]:
        monkeypatch.setenv("LOG_LEVEL", level)
        logging.Handler(Settings().log_level.upper())  # refuses what it doesn't know


def test_an_external_database_url_takes_precedence(monkeypatch: pytest.MonkeyPatch) -> None:
    """With PGO switched off, one URL from a secret is enough."""
    monkeypatch.setenv("DATABASE_URL", f"postgresql://me:{SECRET}@db.example:6432/app")
    monkeypatch.setenv("REDIS_URL", "redis://cache.example:6379/0")
    connection = conninfo_to_dict(Settings().conninfo())
    assert (connection["host"], connection["dbname"]) == ("db.example", "app")


def test_a_redis_password_is_not_url_encoded(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The chart's URL holds none, so that no character of it needs escaping."""
    monkeypatch.setenv("REDIS_URL", "rediss://cache.example:6380/0")
    monkeypatch.setenv("REDIS_PASSWORD", "a/b@c:%20?")
    options = redis_link.connect(Settings()).connection_pool.connection_kwargs
    assert (options["host"], options["port"], options["password"]) == (
        "cache.example",
        6380,
        "a/b@c:%20?",
    )


def test_settings_do_not_print_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    """A settings object that ends in a log line tells no password."""
    monkeypatch.setenv("REDIS_SENTINEL_HOSTS", "rfs")
    for name in ("DB_PASSWORD", "REDIS_PASSWORD", "DATABASE_URL"):
        monkeypatch.setenv(name, SECRET)
    assert SECRET not in f"{Settings()!r} {Settings()}"


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("PORT", f"{SECRET}", "PORT"),
        ("PORT", "70000", "PORT"),
        ("REDIS_SENTINEL_HOSTS", "", "REDIS_SENTINEL_HOSTS"),
    ],
)
def test_an_invalid_setting_is_named_without_its_value(
    name: str,
    value: str,
    message: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The process ends with status 2 and says which variable is wrong."""
    monkeypatch.setenv("REDIS_SENTINEL_HOSTS", "rfs")
    monkeypatch.setenv(name, value)
    with pytest.raises(SystemExit) as ended:
        module.read()
    output = capsys.readouterr().err
    assert ended.value.code == 2
    assert message in output
    assert SECRET not in output


def test_a_rule_of_ours_that_a_setting_breaks_is_said_in_our_words(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("REDIS_SENTINEL_HOSTS", "")
    with pytest.raises(SystemExit):
        module.read()
    assert capsys.readouterr().err == (
        "SETTINGS: set REDIS_SENTINEL_HOSTS (host:port, comma separated) or REDIS_URL\n"
    )


@pytest.mark.parametrize(
    ("variables", "budget"),
    [
        ({}, 10 * 1024**3),
        ({"DB_VOLUME_SIZE": "50Gi"}, 25 * 1024**3),
        ({"DB_VOLUME_SIZE": "1.5Ti"}, 768 * 1024**3),
        ({"DB_VOLUME_SIZE": "512Mi"}, 256 * 1024**2),
        ({"DB_VOLUME_SIZE": "10G"}, 5 * 10**9),
        ({"DB_VOLUME_SIZE": "200k"}, 100_000),
        ({"DB_VOLUME_SIZE": "4096"}, 2048),
        ({"DB_VOLUME_SIZE": "50Gi", "PICTURES_MAX_BYTES": "7"}, 7),
        ({"PICTURES_MAX_BYTES": "0"}, 0),
    ],
)
def test_pictures_may_take_half_of_the_volume_or_what_is_set(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], budget: int
) -> None:
    monkeypatch.setenv("REDIS_SENTINEL_HOSTS", "rfs-a")
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert Settings().budgets().pictures == budget


@pytest.mark.parametrize(
    ("variables", "budget"),
    [
        ({}, 2 * 1024**3),
        ({"DB_VOLUME_SIZE": "50Gi"}, 5 * 1024**3),
        ({"DB_VOLUME_SIZE": "50Gi", "TEXTS_MAX_BYTES": "7"}, 7),
        ({"DB_VOLUME_SIZE": "50Gi", "PICTURES_MAX_BYTES": "7"}, 5 * 1024**3),
    ],
)
def test_texts_may_take_a_tenth_of_the_volume_or_what_is_set(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], budget: int
) -> None:
    monkeypatch.setenv("REDIS_SENTINEL_HOSTS", "rfs-a")
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert Settings().budgets().texts == budget


def test_the_rates_of_a_client_can_be_set(monkeypatch: pytest.MonkeyPatch) -> None:
    variables = {
        "REDIS_SENTINEL_HOSTS": "rfs-a",
        "CLIENT_REQUESTS_PER_S": "1.5",
        "CLIENT_BURST": "2",
        "CLIENT_POSTS_PER_S": "0.5",
        "CLIENT_POSTS_BURST": "3",
        "CLIENT_BYTES_PER_S": "1000",
        "CLIENT_BYTES_BURST": "6000000",
    }
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    expected = ClientRates(Rate(1.5, 2), Rate(0.5, 3), Rate(1000, 6_000_000))
    assert Settings().client_rates() == expected


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DB_VOLUME_SIZE", "large"),
        ("DB_VOLUME_SIZE", "5GB"),
        ("PICTURES_MAX_BYTES", "-1"),
        ("CLIENT_REQUESTS_PER_S", "0"),
        ("CLIENT_BURST", "0"),
        ("TEXTS_MAX_BYTES", "-1"),
        ("CLIENT_POSTS_PER_S", "0"),
        ("CLIENT_POSTS_BURST", "0"),
        ("CLIENT_BYTES_PER_S", "0"),
        # The largest post would never be accepted.
        ("CLIENT_BYTES_BURST", str(5 * 1024**2)),
    ],
)
def test_limits_that_cannot_apply_are_refused(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv("REDIS_SENTINEL_HOSTS", "rfs-a")
    monkeypatch.setenv(name, value)
    with pytest.raises(ValueError, match=value if name == "DB_VOLUME_SIZE" else "greater"):
        Settings()
