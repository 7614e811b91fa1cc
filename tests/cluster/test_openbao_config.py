"""The server's own configuration file, in a real server: it makes itself ready, again and again."""

from __future__ import annotations

from pathlib import Path

import hvac
import pytest

from support.programs.openbao import running
from support.programs.ports import free_port
from vrooli.vault import manifests

CONFIG = Path(manifests.__file__).parent / "openbao.hcl"


@pytest.fixture
def config(tmp_path: Path) -> tuple[Path, str]:
    """The file with this test's folders and port, and the server's address."""
    port, cluster_port = free_port(), free_port()
    (tmp_path / "data").mkdir()
    (tmp_path / "seal").mkdir()
    (tmp_path / "seal" / "key").write_text("ab" * manifests.SEAL_KEY_BYTES)
    text = (
        CONFIG.read_text()
        .replace("/openbao/", f"{tmp_path}/")
        .replace('":8200"', f'"127.0.0.1:{port}"')
        .replace("127.0.0.1:8201", f"127.0.0.1:{cluster_port}")
        # In a pod, the cluster's certificate is a file that the server finds itself.
        .replace("kubernetes_host =", 'kubernetes_ca_cert = "none"\n      kubernetes_host =')
    )
    path = tmp_path / "openbao.hcl"
    path.write_text(text)
    return path, f"http://127.0.0.1:{port}"


def test_server_initializes_itself_and_unseals_itself_after_a_restart(
    config: tuple[Path, str], tmp_path: Path
) -> None:
    path, address = config
    for log in ("first.log", "second.log"):
        with running([f"-config={path}"], address, tmp_path / log):
            health = hvac.Client(address).sys.read_health_status(method="GET")
            assert health["initialized"]
            assert not health["sealed"]
    assert "vrooli-admin" not in (tmp_path / "second.log").read_text()
