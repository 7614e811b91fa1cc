"""Vault is asked at the scheme and the port that its connection names."""

from __future__ import annotations

import asyncio
import base64
import itertools
import json
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from support.diagnosis.evidence import DEV, diagnosed, evidence, operators, pod
from vrooli.diagnosis.evidence.model import Answer, Evidence
from vrooli.diagnosis.evidence.probes import vault_health, vault_secrets
from vrooli.diagnosis.rules.vault import sealed, unreachable
from vrooli.diagnosis.rules.vso import login_refused
from vrooli.kube.objects import Ref
from vrooli.responses import LIMIT_MIB, MIB
from vrooli.vault import certificates

WELL = json.dumps({"initialized": True, "sealed": False})
CA_SECRET = "vault-ca"
SERVICE = Ref("Service", "vault", "vault")


class Forwards:
    """A cluster with one server behind each port."""

    def __init__(self, port: int, ca: bytes = b"") -> None:
        self.port = port
        self.ca = ca
        self.asked: list[int] = []

    async def get(self, api_version: str, kind: str, name: str, namespace: str) -> Any:
        assert (kind, name, namespace) == ("Secret", CA_SECRET, DEV.namespace)
        return {"data": {"ca.crt": base64.b64encode(self.ca).decode()}} if self.ca else None

    async def port_forward(self, namespace: str, name: str, port: int) -> Any:
        self.asked.append(port)

        @asynccontextmanager
        async def way() -> AsyncIterator[int]:
            yield self.port

        return way()

    async def service_account_token(self, *words: Any) -> str:
        return "token"


@asynccontextmanager
async def serving(
    body: str,
    status: int = 200,
    tls: ssl.SSLContext | None = None,
    requests: list[str] | None = None,
    headers: str = "",
) -> AsyncIterator[int]:
    """A server that gives one answer to everything, and lists the heads of the requests."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = await reader.readuntil(b"\r\n\r\n")
        if requests is not None:
            requests.append(request.decode().lower())
        head = f"HTTP/1.1 {status} X\r\ncontent-length: {len(body)}\r\n{headers}connection: close"
        writer.write(f"{head}\r\n\r\n{body}".encode())
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0, ssl=tls)
    async with server:
        yield server.sockets[0].getsockname()[1]


AUTHORITY = certificates.new_authority()
HOST = "vault.vault.svc"


def context_of(folder: Path, *hosts: str) -> ssl.SSLContext:
    """A server with a certificate of the authority for these hosts."""
    pair = certificates.issue(AUTHORITY, hosts)
    (folder / "crt").write_bytes(pair.certificate)
    (folder / "key").write_bytes(pair.key)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "crt", folder / "key")
    return context


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory) -> ssl.SSLContext:
    return context_of(tmp_path_factory.mktemp("tls"), HOST)


def seen(
    address: str,
    port: dict[str, Any] | None = None,
    answers: tuple[Answer, ...] = (),
    spec: dict[str, Any] | None = None,
) -> Evidence:
    connection = {
        "kind": "VaultConnection",
        "metadata": {"name": "v", "namespace": DEV.namespace},
        "spec": {"address": address, "caCertSecretRef": CA_SECRET, **(spec or {})},
    }
    auth = {
        "kind": "VaultAuth",
        "metadata": {"name": "v", "namespace": DEV.namespace},
        "spec": {"method": "kubernetes", "mount": "kubernetes", "vaultConnectionRef": "v"},
    }
    service = {
        "kind": "Service",
        "metadata": {"name": "vault", "namespace": "vault"},
        "spec": {"selector": {"app": "vault"}, "ports": [port] if port else []},
    }
    ports = [{"name": "api", "containerPort": 8300}]
    containers = {"containers": [{"name": "vault", "ports": ports}]}
    of_vault = pod("vault-0", namespace="vault", labels={"app": "vault"}, spec=containers)
    return evidence(connection, auth, service, of_vault, *operators(), answers=answers)


async def health(kube: Forwards, looked: Evidence) -> Answer:
    (answer,) = await vault_health.run(kube, looked)  # type: ignore[arg-type]
    return answer


@pytest.mark.anyio
async def test_a_vault_that_speaks_tls_is_asked_so(tls: ssl.SSLContext) -> None:
    async with serving(WELL, tls=tls) as port:
        kube = Forwards(port, AUTHORITY.certificate)
        answer = await health(kube, seen("https://vault.vault.svc:8200"))
    assert answer == Answer("vault-health", SERVICE, WELL)


OTHER = certificates.new_authority()


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("ca", "host", "spec"),
    [
        (OTHER.certificate, HOST, {}),
        (AUTHORITY.certificate, "other.vault.svc", {}),
        (AUTHORITY.certificate, "127.0.0.1", {}),
        (AUTHORITY.certificate, HOST, {"tlsServerName": "vault.example.com"}),
        (b"", HOST, {}),
        (b"no certificate", HOST, {}),
        (AUTHORITY.certificate, HOST, {"caCertSecretRef": ""}),
    ],
    ids=["CA", "host", "loopback", "server name", "no Secret", "no certificate", "machine's CAs"],
)
async def test_a_server_with_another_certificate_gets_no_token_and_is_not_called_down(
    tmp_path: Path, ca: bytes, host: str, spec: dict[str, Any]
) -> None:
    requests: list[str] = []
    async with serving(WELL, tls=context_of(tmp_path, host), requests=requests) as port:
        looked, kube = seen("https://vault.vault.svc:8200", spec=spec), Forwards(port, ca)
        answer = await health(kube, looked)
        (login,) = await vault_secrets.run(kube, looked)  # type: ignore[arg-type]
    assert requests == []
    assert "CERTIFICATE_VERIFY_FAILED" in answer.text
    assert "CERTIFICATE_VERIFY_FAILED" in login.text
    assert not login.ok
    looked = seen("https://vault.vault.svc", answers=(answer, login))
    for rule in (sealed.RULE, unreachable.RULE, login_refused.RULE):
        assert list(rule.find(looked)) == []


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("host", "spec"),
    [("vault.example.com", {"tlsServerName": "vault.example.com"}), ("x", {"skipTLSVerify": True})],
)
async def test_the_certificate_is_verified_as_the_connection_sets_it(
    tmp_path: Path, host: str, spec: dict[str, Any]
) -> None:
    async with serving(WELL, tls=context_of(tmp_path, host)) as port:
        looked = seen("https://vault.vault.svc:8200", spec=spec)
        answer = await health(Forwards(port, AUTHORITY.certificate), looked)
    assert answer == Answer("vault-health", SERVICE, WELL)


@pytest.mark.anyio
async def test_a_login_to_a_vault_that_speaks_tls_is_answered(tls: ssl.SSLContext) -> None:
    refusal = json.dumps({"errors": ["invalid role name"]})
    async with serving(refusal, 400, tls) as port:
        looked = seen("https://vault.vault.svc:8200")
        kube = Forwards(port, AUTHORITY.certificate)
        (answer,) = await vault_secrets.run(kube, looked)  # type: ignore[arg-type]
    assert json.loads(answer.text) == {"status": 400, "errors": ["invalid role name"]}


def synced(name: str, **spec: str) -> dict[str, Any]:
    """A secret at a path of the same name."""
    return {
        "kind": "VaultStaticSecret",
        "metadata": {"name": name, "namespace": DEV.namespace},
        "spec": {"vaultAuthRef": "v", "mount": "kv", "path": name, "type": "kv-v2", **spec},
    }


@pytest.mark.anyio
async def test_requests_are_sent_to_the_vault_namespace_of_their_object() -> None:
    reply, requests = json.dumps({"auth": {"client_token": "t"}}), list[str]()
    looked = seen("http://vault.vault.svc:8200")
    (auth,) = looked.all("VaultAuth")
    auth = {**auth, "spec": {**auth["spec"], "namespace": "admin"}}
    others = (
        body for body in itertools.chain(*looked.objects.values()) if body["kind"] != "VaultAuth"
    )
    looked = evidence(*others, auth, synced("a"), synced("b", namespace="admin/team"))
    async with serving(reply, requests=requests) as port:
        await vault_secrets.run(Forwards(port), looked)  # type: ignore[arg-type]
        await health(Forwards(port), looked)
    sent = {request.partition(" http/")[0]: request for request in requests}
    namespaces = {
        name: request.partition("x-vault-namespace: ")[2].partition("\r")[0]
        for name, request in sent.items()
    }
    assert namespaces == {
        "post /v1/auth/kubernetes/login": "admin",
        "get /v1/kv/data/a": "admin",
        "get /v1/kv/data/b": "admin/team",
        "post /v1/auth/token/revoke-self": "admin",
        "get /v1/sys/health": "",
    }


@pytest.mark.anyio
async def test_a_mount_that_is_an_address_receives_no_token() -> None:
    stolen = list[str]()
    objects = itertools.chain(*seen("http://vault.vault.svc:8200").objects.values())
    async with (
        serving(json.dumps({"auth": {"client_token": "t"}})) as port,
        serving("{}", requests=stolen) as other,
    ):
        hostile = synced("a", mount=f"http://127.0.0.1:{other}")
        looked = evidence(*objects, hostile)
        answers = await vault_secrets.run(Forwards(port), looked)  # type: ignore[arg-type]
    assert stolen == []
    assert [(answer.about.kind, answer.ok) for answer in answers] == [
        ("VaultAuth", True),
        ("VaultStaticSecret", False),
    ]


@pytest.mark.anyio
@pytest.mark.parametrize(
    "spec",
    [
        {"mount": "http://127.0.0.1:1"},
        {"mount": "a\x00b"},
        {"mount": "http://["},
        {"path": "x" * 100_000},
        {"namespace": "é\u202e\n"},
    ],
    ids=["address", "control", "no URL", "length", "header"],
)
async def test_a_mount_that_is_refused_blames_neither_the_login_nor_other_secrets(
    spec: dict[str, str],
) -> None:
    requests = list[str]()
    objects = itertools.chain(*seen("http://vault.vault.svc:8200").objects.values())
    looked = evidence(*objects, synced("bad", **spec), synced("good"))
    async with serving(json.dumps({"auth": {"client_token": "t"}}), requests=requests) as port:
        login, *reads = await vault_secrets.run(Forwards(port), looked)  # type: ignore[arg-type]
    assert (login.about.kind, login.ok) == ("VaultAuth", True)
    assert [(item.about.name, item.ok) for item in reads] == [("bad", False), ("good", True)]
    assert reads[0].text.startswith(
        "Vault was not asked for it, since its mount, path or namespace"
    )
    assert "revoke-self" in requests[-1]


@pytest.mark.anyio
async def test_a_login_at_a_mount_that_is_no_path_is_reported_and_ends_nothing() -> None:
    looked = seen("http://vault.vault.svc:8200")
    (auth,) = looked.all("VaultAuth")
    auth["spec"]["mount"] = "a\x00b"
    async with serving(WELL) as port:
        (login,) = await vault_secrets.run(Forwards(port), looked)  # type: ignore[arg-type]
    assert (login.about.kind, login.ok) == ("VaultAuth", False)
    assert "InvalidURL" in login.text


@pytest.mark.anyio
async def test_a_proxy_of_the_environment_receives_no_token(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    by_proxy = list[str]()
    async with serving(WELL) as port, serving(WELL, requests=by_proxy) as proxy:
        monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{proxy}")
        answer = await health(Forwards(port), seen("http://vault.vault.svc:8200"))
    assert (answer.ok, by_proxy) == (True, [])


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("address", "port", "asked"),
    [
        ("http://vault.vault.svc:8200", None, 8200),
        ("http://vault.vault.svc:8201", None, 8201),
        ("http://vault.vault.svc", {"port": 80, "targetPort": 8200}, 8200),
        ("http://vault.vault.svc:8200/", {"port": 8200, "targetPort": "api"}, 8300),
        ("http://vault.vault.svc:8200", {"port": 8200, "targetPort": "gone"}, 8200),
    ],
)
async def test_the_port_is_the_one_behind_the_address(
    address: str, port: dict[str, Any] | None, asked: int
) -> None:
    async with serving(WELL) as local:
        kube = Forwards(local)
        assert (await health(kube, seen(address, port))).text == WELL
    assert kube.asked == [asked]


@pytest.mark.anyio
async def test_an_answer_that_is_none_of_vault_s_is_said_and_blames_nobody() -> None:
    page, address = (
        "Client sent an HTTP request to an HTTPS server.\n",
        "http://vault.vault.svc:8200",
    )
    async with serving(page, 400) as port:
        of_health = await health(Forwards(port), seen(address))
        (login,) = await vault_secrets.run(Forwards(port), seen(address))  # type: ignore[arg-type]
    assert of_health.text == f"its response (400) cannot be read: {page.strip()}"
    assert not login.ok
    looked = seen(address, answers=(of_health, login))
    assert diagnosed(looked).unavailable == ()
    for rule in (sealed.RULE, unreachable.RULE, login_refused.RULE):
        assert list(rule.find(looked)) == []


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("headers", "length", "reason"),
    [
        ("", LIMIT_MIB * MIB + 1, "longer than 4 MiB"),
        ("content-encoding: gzip\r\n", 10, "compressed"),
    ],
)
async def test_a_response_that_is_long_or_could_become_so_is_not_read(
    headers: str, length: int, reason: str
) -> None:
    requests: list[str] = []
    async with serving(WELL.ljust(length), headers=headers, requests=requests) as port:
        answer = await health(Forwards(port), seen("http://vault.vault.svc:8200"))
    assert (answer.ok, reason in answer.text) == (False, True)
    assert "accept-encoding: identity" in requests[0]


@pytest.mark.anyio
@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_a_vault_that_ends_each_connection_does_not_answer(scheme: str) -> None:
    async def ends(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    server = await asyncio.start_server(ends, "127.0.0.1", 0)
    async with server:
        kube = Forwards(server.sockets[0].getsockname()[1])
        answer = await health(kube, seen(f"{scheme}://vault.vault.svc:8200"))
    assert not answer.ok


@pytest.mark.anyio
async def test_a_vault_that_wants_a_certificate_of_its_clients_is_there(
    tmp_path: Path,
) -> None:
    context = context_of(tmp_path, HOST)
    context.load_verify_locations(tmp_path / "crt")
    context.verify_mode = ssl.CERT_REQUIRED
    async with serving(WELL, tls=context) as port:
        kube = Forwards(port, AUTHORITY.certificate)
        answer = await health(kube, seen("https://vault.vault.svc:8200"))
    assert answer.ok
    assert list(unreachable.RULE.find(seen("https://vault.vault.svc", answers=(answer,)))) == []
