"""A real API server with nothing behind it: accepts, refuses and keeps objects, runs none.

Starts in seconds and needs no root: for what is about objects, not about pods.
"""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx
import pytest
import yaml
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from support.programs.ports import free_port

TOKEN = "administrator-of-the-tests"
START_S = 180.0


@contextmanager
def running(programs: Mapping[str, Path], home: Path) -> Iterator[Path]:
    """An API server with its etcd; gives its kubeconfig."""
    etcd, peers, port = free_port(), free_port(), free_port()
    _write_files(home, port)
    issuer = "https://kubernetes.default.svc.cluster.local"
    with ExitStack() as stack:
        stack.enter_context(
            _process(
                home / "etcd.log",
                programs["etcd"],
                f"--data-dir={home}/etcd",
                f"--listen-client-urls=http://127.0.0.1:{etcd}",
                f"--advertise-client-urls=http://127.0.0.1:{etcd}",
                f"--listen-peer-urls=http://127.0.0.1:{peers}",
                "--unsafe-no-fsync",
            )
        )
        stack.enter_context(
            _process(
                home / "apiserver.log",
                programs["kube-apiserver"],
                f"--etcd-servers=http://127.0.0.1:{etcd}",
                f"--secure-port={port}",
                "--bind-address=127.0.0.1",
                "--advertise-address=127.0.0.1",
                "--endpoint-reconciler-type=none",
                f"--cert-dir={home}/certificates",
                f"--token-auth-file={home}/tokens",
                "--authorization-mode=RBAC",
                f"--service-account-issuer={issuer}",
                f"--service-account-key-file={home}/accounts.key",
                f"--service-account-signing-key-file={home}/accounts.key",
                "--service-cluster-ip-range=10.97.0.0/16",
                # Nothing makes the `default` accounts that this plugin wants for each pod.
                "--disable-admission-plugins=ServiceAccount",
            )
        )
        _wait_ready(port, home / "apiserver.log")
        yield home / "kubeconfig"


def _write_files(home: Path, port: int) -> None:
    (home / "tokens").write_text(f"{TOKEN},administrator,1,system:masters\n")
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    (home / "accounts.key").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.TraditionalOpenSSL,
            serialization.NoEncryption(),
        )
    )
    cluster = {"server": f"https://127.0.0.1:{port}", "insecure-skip-tls-verify": True}
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "bare", "cluster": cluster}],
        "users": [{"name": "bare", "user": {"token": TOKEN}}],
        "contexts": [{"name": "bare", "context": {"cluster": "bare", "user": "bare"}}],
        "current-context": "bare",
    }
    (home / "kubeconfig").write_text(yaml.safe_dump(config))


@contextmanager
def _process(log: Path, *argv: str | Path) -> Iterator[None]:
    with log.open("w") as output:
        process = subprocess.Popen(argv, stdout=output, stderr=output, cwd=log.parent)
        try:
            yield
        finally:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _wait_ready(port: int, log: Path) -> None:
    deadline = time.monotonic() + START_S
    headers = {"Authorization": f"Bearer {TOKEN}"}
    with httpx.Client(verify=False, headers=headers) as client:  # noqa: S501 - its own, on loopback
        while time.monotonic() < deadline:
            try:
                if client.get(f"https://127.0.0.1:{port}/readyz").status_code == httpx.codes.OK:
                    return
            except httpx.TransportError:
                pass
            time.sleep(0.2)
    pytest.fail(f"the API server did not start:\n{log.read_text()[-4000:]}")
