"""No planted secret stays, drawn ones neither, and what helps a person stays."""

from __future__ import annotations

import base64
import json
import re
import string
import time
from urllib.parse import quote

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from support.secrets.canaries import SHAPED, Canary, canaries, drawn, encoded, leaked
from vrooli.redaction import MASK, Redactor
from vrooli.redaction.names import names_secret

PLANTED = list(canaries(8))
REDACTOR = Redactor([item.secret + "/+" * ("url" in item.shape) for item in PLANTED if item.known])
# What may stand in a password that people or programs choose.
SIGNS = string.ascii_letters + string.digits + "!#$%()*+-./:=?@[]^_{|}~<>\\\"'&;, "
PASSWORDS = st.text(SIGNS, min_size=8, max_size=40).filter(
    # Letters alone may be a word that settings have, which stays: `development`.
    lambda text: (
        len(set(text.strip())) > 5
        and len(text.strip()) >= 8
        and not text.isalpha()
        and MASK not in text
    )
)
DRAWN = st.text(string.ascii_letters + string.digits, min_size=10, max_size=40).filter(
    lambda text: len(set(text)) > 5 and not text.isdigit()
)


@pytest.mark.parametrize("shape", sorted({item.shape for item in PLANTED}))
def test_no_planted_secret_stays_in_lines(shape: str) -> None:
    planted = [item for item in PLANTED if item.shape == shape]
    for item in planted:
        for before in ("", "2026-01-01T00:00:00Z ERROR "):
            if before and "\n" in item.text and item.known:
                continue  # a value that is cut by what a log puts before each line isn't found
            lines = [f"{before}{line}" for line in item.text.splitlines()]
            shown = "\n".join(REDACTOR.lines(lines))
            assert leaked(planted, shown) == [], shown


@pytest.mark.parametrize("shape", sorted({item.shape for item in PLANTED}))
def test_no_planted_secret_stays_in_objects(shape: str) -> None:
    planted = [item for item in PLANTED if item.shape == shape and "two lines" not in item.shape]
    for item in planted:
        body = {
            "metadata": {"annotations": {"last": json.dumps({"spec": item.text}), "x": item.text}},
            "data": {"settings": item.text},
            "spec": {"args": ["--run", item.text], "env": [{"name": "A", "value": item.text}]},
        }
        shown = json.dumps(REDACTOR.tree(body))
        assert leaked(planted, shown) == [], shown


def test_two_hundred_secrets_are_masked_within_a_moment() -> None:
    assert len(PLANTED) > 200
    text = "\n".join(item.text for item in PLANTED)
    began = time.process_time()
    REDACTOR.lines(text.splitlines())
    assert time.process_time() - began < 2.0


def test_the_look_for_leaks_finds_each_secret_before_it_is_masked() -> None:
    unmasked = [item for item in PLANTED if "two lines" not in item.shape]
    assert [item.shape for item in unmasked if not leaked([item], item.text)] == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DB_PASSWORD", "hunter2"),
        ("PGPASSWORD", "hunter2"),
        ("REDISCLI_AUTH", "hunter2"),
        ("Authorization", "Token hunter2"),
        ("X-Api-Key", "hunter2"),
        ("SOMETHING", "q8Zk2LmN0pRt5VwX"),
    ],
)
def test_an_environments_or_a_headers_value_is_masked(name: str, value: str) -> None:
    assert Redactor().tree([{"name": name, "value": value}]) == [{"name": name, "value": MASK}]


def test_the_word_after_a_secrets_option_is_masked() -> None:
    assert Redactor().tree(["tool", "--password", "hunter2", "--host", "db"]) == [
        "tool",
        "--password",
        MASK,
        "--host",
        "db",
    ]


def test_a_key_is_masked_over_the_lines_of_a_log() -> None:
    body = [drawn(f"line {number}", 64) for number in range(4)]
    lines = ["-----BEGIN EC PRIVATE KEY-----", *body, "c2hvcnQ=", "-----END EC PRIVATE KEY-----"]
    shown = Redactor().lines([f"12:00 reads {line}" for line in lines] + ["12:01 goes on"])
    assert not any(line in "\n".join(shown) for line in (*body, "c2hvcnQ="))
    assert shown[-1] == "12:01 goes on"


# Values that are not masked: options of TLS connections, and addresses with a host.
PUBLIC = re.compile(r"verify-(?:ca|full)|https?://[\w\[].*", re.IGNORECASE)


@given(PASSWORDS.filter(lambda text: not PUBLIC.fullmatch(text.strip())))
@example("-----01234")
@example("00ask012")
@example("(MASKED)")
@example("HTTPS://")
@example("https://")
def test_a_drawn_known_secret_is_masked_in_every_spelling(secret: str) -> None:
    redactor = Redactor([secret])
    for text in (
        secret,
        json.dumps(secret),
        json.dumps(json.dumps(secret)),
        quote(secret, safe=""),
        secret.encode().hex(),
        base64.b64encode(secret.encode()).decode(),
        base64.b64encode(base64.b64encode(secret.encode())).decode(),
    ):
        shown = redactor.text(f"before {text} after").replace(MASK, "")
        inner = text.strip('"\\ ').rstrip("=")[2:-3]
        assert inner not in shown, shown


@given(DRAWN, st.sampled_from(sorted(SHAPED)))
def test_a_drawn_secret_that_nobody_told_of_is_masked_by_its_shape(secret: str, shape: str) -> None:
    if "Vault" in shape:
        secret = f"{secret}{drawn(secret)}"
    text = SHAPED[shape](secret)
    shown = "\n".join(Redactor().lines(text.splitlines()))
    assert secret not in shown, shown
    assert encoded(secret).rstrip("=")[:-2] not in shown


# Who sees such a text under a secret's name takes it for what stands there in its place.
PLACEHOLDER = re.compile(r"\$\(.*\)|\$\{.*\}|\$[A-Z][A-Z_]{3}[A-Z0-9_]*|\{\{.*\}\}|<[^>]*>")


@given(PASSWORDS.filter(lambda text: not PLACEHOLDER.fullmatch(text.strip())))
@example("$A000123")
@example("$(000123")
@example("{{000123}")
@example("<00>0123")
def test_a_drawn_password_in_quotes_is_masked(secret: str) -> None:
    for text in (
        json.dumps({"password": secret, "host": "db"}),
        json.dumps({"body": json.dumps({"password": secret, "host": "db"})}),
    ):
        shown = Redactor().text(text)
        escaped = json.dumps(secret)[1:-1]
        assert escaped[:6] not in shown or escaped[:6] in '"password": (masked)", "host": "db"'
        assert "db" in shown


# What people and programs write of secrets without saying one, and what they need at night.
USEFUL = [
    '{"spec": {"auth": {"secretPath": "vrooli-redis-creds"}}}',
    """sh -c 'REDISCLI_AUTH="$REDIS_PASSWORD" redis-cli -p 26379 SENTINEL RESET mymaster'""",
    'MountVolume.SetUp failed for volume "tls" : secret "vrooli-tls" not found',
    "couldn't find key DB_PASSWORD in Secret dev/vrooli-postgres-creds",
    'Error: secret "vrooli-redis-creds" not found',
    "invalid token: permission denied",
    'The API server refused to list Secret: secrets is forbidden: User "bob" cannot list resource '
    '"secrets" in API group "" in the namespace "dev"',
    "SecretSyncError: not the owner of the destination Secret",
    "VaultStaticSecret/vrooli-redis: Secret synced",
    'Back-off pulling image "localhost/vrooli/server:1.2.3"',
    "Failed to pull image registry.example.com:5000/vrooli/ui@sha256:"
    "0f3a7d5c9b1e2f4a6c8d0e1f2a3b4c5d6e7f8091a2b3c4d5e6f708192a3b4c5d: not found",
    "dial tcp 10.96.0.10:5432: connect: connection refused",
    "can't reach redis://redis.dev.svc:6379/0",
    "https://vault.vault.svc:8200/v1/secret/data/vrooli/config/shared-all responded 403",
    "0/1 nodes are available: 1 Insufficient memory. preemption: 0/1 nodes are available",
    "WRONGPASS invalid username-password pair or user is disabled.",
    "NOAUTH Authentication required.",
    'FATAL:  password authentication failed for user "app"',
    "Code: 403. Errors: * service account name not authorized",
    "Readiness probe failed: HTTP probe failed with statuscode: 503",
    "created pod vrooli-dev-server-5d9c7b6f4-x2x9z on node vrooli-control-plane",
    "secretName: vrooli-dockerhub-pull-secret",
    "automountServiceAccountToken: false",
    "tokenPath=/var/run/secrets/kubernetes.io/serviceaccount/token",
    "existingSecret: vrooli-postgres-creds, key: DB_PASSWORD",
    "uid 3f0c7c1e-8a54-4a43-9d5c-2f1f2d3c4b5a was deleted",
    "go.opentelemetry.io/otel/sdk@v1.38.0/trace/provider.go:211",
    "k8s.io/client-go@v0.37.2/tools/cache/reflector.go:285: watch of *v1.Pod ended",
    "[082]: WAL segment 000000010000000000000003 was not archived before the 60000ms timeout",
    "2026-06-01 12:00:00 UTC [87]: LOG:  checkpoint complete: wrote 3 buffers (0.0%)",
]


@pytest.mark.parametrize("text", USEFUL)
def test_what_helps_a_person_stays(text: str) -> None:
    assert REDACTOR.text(text) == text


def test_a_password_inside_an_object_under_a_secrets_name_is_masked() -> None:
    text = '{"auth": {"secretPath": "redis", "password": "pa55w0rd-x"}}'
    assert Redactor().text(f"got {text}") == f"got {text.replace('pa55w0rd-x', '(masked)')}"


def test_an_objects_names_and_references_stay() -> None:
    body = {
        "metadata": {"name": "vrooli-dev-server", "uid": "3f0c7c1e-8a54-4a43-9d5c-2f1f2d3c4b5a"},
        "spec": {
            "automountServiceAccountToken": False,
            "imagePullSecrets": [{"name": "vrooli-dockerhub-pull-secret"}],
            "containers": [
                {
                    "image": "localhost/vrooli/server:dev",
                    "env": [
                        {"name": "DB_HOST", "value": "vrooli-pg-pgbouncer.dev.svc"},
                        {"name": "DB_PORT", "value": "5432"},
                        {
                            "name": "DB_PASSWORD",
                            "valueFrom": {"secretKeyRef": {"name": "creds", "key": "DB_PASSWORD"}},
                        },
                    ],
                    "envFrom": [{"secretRef": {"name": "vrooli-postgres-creds"}}],
                }
            ],
            "volumes": [{"secret": {"secretName": "vrooli-tls"}}],
            "auth": {"secretPath": "vrooli-redis-creds"},
        },
    }
    assert REDACTOR.tree(body) == body


@pytest.mark.parametrize("name", ["secretName", "tokenPath", "passwordSecretRef", "PWD", "author"])
def test_what_is_only_about_a_secret_names_none(name: str) -> None:
    assert not names_secret(name)


def test_a_secret_of_few_shapes_is_planted_in_each() -> None:
    assert len({item.shape for item in PLANTED}) >= 20
    assert all(isinstance(item, Canary) for item in PLANTED)
