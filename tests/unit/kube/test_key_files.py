"""What a kubeconfig holds of keys is left nowhere."""

from __future__ import annotations

import base64
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from support.programs.certificates import self_signed
from support.programs.ports import free_port

CONNECT = """
import asyncio, pathlib, sys
from vrooli.errors import PrerequisiteError
from vrooli.kube import Kube
try:
    asyncio.run(Kube.connect(pathlib.Path(sys.argv[1])))
except PrerequisiteError as error:
    print(error)
"""


@pytest.fixture
def kubeconfig(tmp_path: Path) -> Path:
    """One with a key and certificates in it, of a cluster where nobody listens."""
    certificate, key = tmp_path / "tls.crt", tmp_path / "tls.key"
    self_signed(certificate, key)
    said = {path: base64.b64encode(path.read_bytes()).decode() for path in (certificate, key)}
    user = {"client-certificate-data": said[certificate], "client-key-data": said[key]}
    cluster = {
        "server": f"https://127.0.0.1:{free_port()}",
        "certificate-authority-data": said[certificate],
    }
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "x", "cluster": cluster}],
        "users": [{"name": "x", "user": user}],
        "contexts": [{"name": "x", "context": {"cluster": "x", "user": "x"}}],
        "current-context": "x",
    }
    path = tmp_path / "kubeconfig"
    path.write_text(yaml.safe_dump(config))
    return path


def test_a_key_of_a_kubeconfig_is_left_in_no_file(kubeconfig: Path, tmp_path: Path) -> None:
    folder = tmp_path / "temporary"
    folder.mkdir()
    done = subprocess.run(
        [sys.executable, "-c", CONNECT, str(kubeconfig)],
        env={**os.environ, "TMPDIR": str(folder)},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert "is unreachable" in done.stdout
    assert list(folder.iterdir()) == []
