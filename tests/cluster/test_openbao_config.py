"""The server's own configuration file, in a real server: it makes itself ready and serves https."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from pathlib import Path

import httpx
import hvac
import pytest

from support.fakes import check_site
from support.fakes.cluster import FakeCluster
from support.programs.openbao import running
from support.programs.ports import free_port
from vrooli.checks.vault import certificate
from vrooli.checks.vault.request import vault_request
from vrooli.errors import PrerequisiteError
from vrooli.vault import certificates, manifests, tls
from vrooli.vault.address import parse_address
from vrooli.vault.client import VaultClient

CONFIG = Path(manifests.__file__).parent / "openbao.hcl"


@dataclass(frozen=True)
class Configured:
    """The file with a test's folders and ports.

    Attributes:
        path: The file.
        address: The server's address for plain http.
        tls_address: Its address for https.
        authority: The file of the authority that signed its certificate.
    """

    path: Path
    address: str
    tls_address: str
    authority: Path


@pytest.fixture
def config(tmp_path: Path) -> Configured:
    """The file with this test's folders, ports and certificate."""
    port, tls_port, cluster_port = free_port(), free_port(), free_port()
    for name in ("data", "seal", "tls"):
        (tmp_path / name).mkdir()
    (tmp_path / "seal" / "key").write_text("ab" * manifests.SEAL_KEY_BYTES)
    authority = certificates.new_authority()
    server = certificates.issue(authority, tls.HOSTS)
    for name, pem in (
        (tls.CERTIFICATE, server.certificate),
        (tls.KEY, server.key),
        (tls.AUTHORITY, authority.certificate),
    ):
        (tmp_path / "tls" / name).write_bytes(pem)
    text = (
        CONFIG.read_text()
        .replace("/openbao/", f"{tmp_path}/")
        .replace(f'":{manifests.PORT}"', f'"127.0.0.1:{port}"')
        .replace(f'":{manifests.TLS_PORT}"', f'"127.0.0.1:{tls_port}"')
        .replace("127.0.0.1:8201", f"127.0.0.1:{cluster_port}")
        # In a pod, the cluster's certificate is a file that the server finds itself.
        .replace("kubernetes_host =", 'kubernetes_ca_cert = "none"\n      kubernetes_host =')
    )
    path = tmp_path / "openbao.hcl"
    path.write_text(text)
    return Configured(
        path,
        f"http://127.0.0.1:{port}",
        f"https://127.0.0.1:{tls_port}",
        tmp_path / "tls" / tls.AUTHORITY,
    )


def test_server_initializes_itself_and_unseals_itself_after_a_restart(
    config: Configured, tmp_path: Path
) -> None:
    for log in ("first.log", "second.log"):
        with running([f"-config={config.path}"], config.address, tmp_path / log):
            health = hvac.Client(config.address).sys.read_health_status(method="GET")
            assert health["initialized"]
            assert not health["sealed"]
    assert "vrooli-admin" not in (tmp_path / "second.log").read_text()


async def test_the_port_of_https_accepts_clients_that_trust_its_authority_and_no_plain_http(
    config: Configured, tmp_path: Path
) -> None:
    stranger = tmp_path / "stranger.crt"
    stranger.write_bytes(certificates.new_authority().certificate)
    port = int(config.tls_address.rpartition(":")[2])
    with running([f"-config={config.path}"], config.address, tmp_path / "log"):
        await VaultClient(config.tls_address, verify=str(config.authority)).check_ready()
        with pytest.raises(PrerequisiteError):
            await VaultClient(config.tls_address, verify=str(stranger)).check_ready()
        async with httpx.AsyncClient(timeout=30) as client:
            plain = await client.get(f"http://127.0.0.1:{port}/v1/sys/health")
        assert plain.status_code == httpx.codes.BAD_REQUEST
        assert "HTTPS server" in plain.text


@pytest.mark.parametrize(
    ("of_server", "host", "refusal"),
    [
        (True, tls.HOSTS[0], ""),
        (True, "vault.elsewhere.svc", "Hostname mismatch"),
        (False, tls.HOSTS[0], "unable to get local issuer certificate"),
    ],
    ids=["valid", "another name", "another authority"],
)
async def test_the_check_verifies_the_certificate_as_the_operator_does(
    config: Configured, tmp_path: Path, of_server: bool, host: str, refusal: str
) -> None:
    pem = config.authority.read_bytes() if of_server else certificates.new_authority().certificate
    data = {tls.AUTHORITY: base64.b64encode(pem).decode()}
    kube = FakeCluster({"kind": "Secret", "metadata": {"name": "vrooli-vault-ca"}, "data": data})
    site = check_site.site(check_site.rendered("staging"), kube)
    request, address = vault_request(site), parse_address(f"https://{host}:{manifests.TLS_PORT}")
    assert request is not None
    assert address is not None
    port = int(config.tls_address.rpartition(":")[2])
    with running([f"-config={config.path}"], config.address, tmp_path / "log"):
        if not refusal:
            assert await certificate.verify(site, request, address, port) == ""
            return
        with pytest.raises(PrerequisiteError, match=refusal) as raised:
            await certificate.verify(site, request, address, port)
    assert "vrooli setup" in raised.value.advice
