"""Secrets that no Secret object holds are masked in each of the forms that programs write."""

from __future__ import annotations

import pytest

from vrooli.redaction import Redactor
from vrooli.redaction.names import MASK

S = "Xq7vT2mZ"
LONG = "Xq7vT2mZb9KpLr4WnS8dQyGhJc3AfEtU"
HEX = "0f3a7d5c9b1e2f4a6c8d0e1f2a3b4c5d6e7f8091a2b3c4d5e6f708192a3b4c5d"
FORMS = [
    # Names that are coloured, escaped or split.
    f"\x1b[32mpassword\x1b[0m=\x1b[31m{S}\x1b[0m",
    f"pass\x1b[1mword={S}",
    f"password\u200b={S}",
    f'{{"\\u0070assword":"{S}"}}',
    f'{{"\\u0074\\u006f\\u006b\\u0065\\u006e": "{S}"}}',
    f'{{"a": "\\u001b[1mpassword\\u001b[0m={S}"}}',
    f"p\\x61ssword={S}",
    f"pass%77ord%3D{S}",
    f"password&#61;{S}",
    # Arguments.
    f'["--password","{S}"]',
    f"['tool', '--token', '{S}', '--host', 'db']",
    f"curl -sSf -u bob:{S} https://x",
    f'["curl","-u","bob:{S}"]',
    f"redis-cli -h db -a {S} ping",
    f"mysql -u root -p{S} db",
    f"mysqldump -p'{S}' db",
    f"sshpass -p '{S}' ssh x",
    f"mongosh -u a -p {S}",
    f"ldapsearch -D cn=x -w {S}",
    f"smbclient -U bob%{S} //x",
    f"docker login -u a -p {S} r.example.com",
    f"vault login {S}",
    f"openssl rsa -passin pass:{S}",
    f"kubectl create secret generic x --from-literal=password={S}",
    # Redis, SQL.
    f'1700000000.1 [0 127.0.0.1:1] "AUTH" "default" "{S}"',
    f'"auth" "{S}"',
    f"AUTH default {S}",
    f'"HELLO" "3" "AUTH" "default" "{S}"',
    f"*2\\r\\n$4\\r\\nAUTH\\r\\n$8\\r\\n{S}\\r\\n",
    f"CONFIG SET requirepass {S}",
    f'"CONFIG" "SET" "masterauth" "{S}"',
    f"ACL SETUSER bob on >{S} ~*",
    f"ALTER USER bob WITH PASSWORD '{S}'",
    f"CREATE ROLE bob PASSWORD 'it''s{S}'",
    f"CREATE USER bob IDENTIFIED BY '{S}'",
    # Separators, elements, entries.
    *(f"password{sign}{S}" for sign in ("\t", " -> ", " | ", " => ", " := ", " == ", "\uff1a")),
    f"| user | password | {S} |",
    f"<password>{S}</password>",
    f"<db:password type='x'>{S}</db:password>",
    f'<add key="password" value="{S}"/>',
    f"pw: {S}",
    f"Uid=bob;Pwd={S};Server=x",
    f"dbPass={S}",
    f"password: |\n  {S}\n  more",
    # Files of logins.
    f"machine db.example.com login bob password {S}",
    f"machine x\n  login bob\n  password {S}\n",
    f"db.example.com:5432:app:bob:{S}",
    f"*:*:*:bob:{S}",
    # Addresses.
    f"postgres://app:Wi@{S}@db.example.com:5432/x",
    f"postgres://app:a/{S}@db.example.com/x",
    f"redis://:{S}/b@redis:6379/0",
    f"postgres://app:1234/{S}@db/x",
    f"https%3A%2F%2Fbob%3A{S}%40host%2Fx",
    f"postgres://a:{S}@h1/x,postgres://b:{S}@h2/x",
    f"https://x.blob.core.windows.net/c?sv=2020&sig={S}%3D&se=1",
    f"AccountName=a;AccountKey={S}==;EndpointSuffix=x",
    # Tokens.
    f"https://hooks.slack.com/services/T00000000/B00000000/{LONG[:24]}",
    f"https://discord.com/api/webhooks/123456789/{LONG}",
    f"rk_live_{LONG}",
    f"whsec_{LONG}",
    f"SG.{LONG[:22]}.{LONG}",
    f"hf_{LONG}ab",
    f"pypi-AgEIcHlwaS5vcmcCJ{LONG}",
    f"glrt-{LONG}",
    f"dop_v1_{HEX}",
    f"shpat_{HEX[:32]}",
    f"AKIA{LONG.upper()[:16]}",
    f"$2b$12${LONG}{LONG[:21]}",
    # Keys of Vault.
    f"Unseal Key 1: {HEX}",
    f"Unseal Key 1 (will be hidden): {HEX}",
    f'{{"unseal_keys_hex": ["{HEX}","{HEX}"]}}',
    f'{{"keys":["{HEX}"],"keys_base64":["{S * 4}"]}}',
    f"Recovery Key 2: {HEX}",
    f"Initial Root Token: hvs.{LONG}",
]
SHORT = Redactor()


@pytest.mark.parametrize("text", FORMS)
def test_a_secret_is_masked_in_each_form(text: str) -> None:
    for before in ("", "2026-06-01T12:00:00Z INFO got "):
        if before and ("\n" in text or text.startswith(("| ", "*:"))):
            continue
        masked = SHORT.text(f"{before}{text}")
        assert MASK in masked
        for secret in (S, LONG[:12], LONG.upper()[:12], HEX[:12]):
            assert secret not in masked, masked


@pytest.mark.parametrize("text", FORMS)
def test_a_masked_text_is_not_changed_again(text: str) -> None:
    masked = SHORT.text(text)
    assert SHORT.text(masked) == masked


@pytest.mark.parametrize(
    ("text", "remains"),
    [
        (f"postgres://app:Wi@{S}@db.example.com:5432/x", "postgres://app:(masked)@db.example.com"),
        ("https://example.com:8080/a@b", "https://example.com:8080/a@b"),
        ("postgres://app:x9@db.example.com/v?options=a@b", "@db.example.com/v?options=a@b"),
        (f'["--password","{S}"]', '["--password","(masked)"]'),
        (f"curl -u bob:{S} https://x", "curl -u bob:(masked) https://x"),
        (f"<password>{S}</password>", "<password>(masked)</password>"),
        (f"Server=x;Pwd={S};Port=1", "Server=x;Pwd=(masked);Port=1"),
    ],
)
def test_names_and_hosts_around_a_secret_remain(text: str, remains: str) -> None:
    assert remains in SHORT.text(text)
