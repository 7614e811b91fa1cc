"""Pushing the chart to an OCI registry, and errors."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

import helm_python
import pytest

from support.fakes.registry import digest_of, serve
from support.programs.ports import free_port
from vrooli import project
from vrooli.chart import engine, registry
from vrooli.errors import UsageError, VrooliError


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return engine.package(tmp_path_factory.mktemp("package"))


@pytest.fixture(autouse=True)
def _own_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Isolate Helm's registry credentials."""
    for name in ("HELM_CONFIG_HOME", "DOCKER_CONFIG"):
        monkeypatch.setenv(name, str(tmp_path))


def test_a_pushed_package_is_unchanged_and_its_digest_is_returned(package: Path) -> None:
    with serve() as server:
        reference = registry.push(package, f"oci://127.0.0.1:{server.server_port}/charts/")
    manifest = server.manifests["charts/vrooli", "0.1.0"]
    assert reference == f"oci://127.0.0.1:{server.server_port}/charts/vrooli@{digest_of(manifest)}"
    assert package.read_bytes() in server.blobs.values()


def _signing_commands() -> str:
    """The commands of the documentation that sign a package, without those that need a registry."""
    text = (project.root() / "docs" / "upgrading.md").read_text()
    block = re.search(r"^    chart=.*?$(.*?)^    helm push", text, re.M | re.S)
    assert block is not None
    return block[1]


def test_a_provenance_that_is_signed_elsewhere_is_valid_and_pushed_with_the_package(
    package: Path, tmp_path: Path
) -> None:
    signed = Path(shutil.copy(package, tmp_path))
    keys = Path(tempfile.mkdtemp(prefix="gpg"))  # a short path: gpg's agent listens below it
    environment = {**os.environ, "GNUPGHOME": str(keys), "chart": signed.name}

    def shell(commands: str) -> None:
        script = ["bash", "-euo", "pipefail", "-c", commands]
        subprocess.run(script, env=environment, cwd=tmp_path, check=True, capture_output=True)

    try:
        shell("gpg --batch --passphrase '' --quick-generate-key Tests rsa2048 sign never")
        shell("gpg --batch --export > public.gpg")
        shell(_signing_commands())
    finally:
        shell("gpgconf --kill all")
        # The agent removes its sockets after it was told to end.
        shutil.rmtree(keys, ignore_errors=True)
    verified = helm_python.verify(signed, keyring=tmp_path / "public.gpg")
    assert verified["signed_by"] == ["Tests"]
    with serve() as server:
        registry.push(signed, f"oci://127.0.0.1:{server.server_port}/charts")
    manifest = server.manifests["charts/vrooli", "0.1.0"]
    assert b"application/vnd.cncf.helm.chart.provenance.v1.prov" in manifest
    assert Path(f"{signed}.prov").read_bytes() in server.blobs.values()
    signed.write_bytes(signed.read_bytes() + b"changed")
    with pytest.raises(helm_python.HelmError):
        helm_python.verify(signed, keyring=tmp_path / "public.gpg")


def test_an_unreachable_registry_is_named(package: Path) -> None:
    with pytest.raises(VrooliError, match="could not be pushed to oci://127"):
        registry.push(package, f"oci://127.0.0.1:{free_port()}/charts")


@pytest.mark.parametrize(
    "remote",
    [
        *("", "oci://", "https://r.example/c", "r.example/c", "oci:///c", "oci://r.example//c"),
        *("oci://u:p@r.example/c", "oci://r.example/c?x", "oci://r.example:x/c", "oci://r/a b"),
    ],
)
def test_an_invalid_remote_is_a_usage_error(remote: str) -> None:
    with pytest.raises(UsageError, match="is not a path in an OCI registry"):
        registry.check_remote(remote)


@pytest.mark.parametrize("remote", ["oci://r.example", "oci://r:5000/a/b-c/", "oci://[::1]:5/a"])
def test_a_remote_is_a_host_with_optional_path(remote: str) -> None:
    assert registry.check_remote(remote) == remote.rstrip("/")
