"""The development Vault's objects, and when its server counts as ready."""

from __future__ import annotations

import base64

import pytest

from vrooli.vault import manifests
from vrooli.vault.server import stateful_set_lack


def test_each_seal_key_is_new_and_can_not_be_changed() -> None:
    one, other = manifests.seal_key(), manifests.seal_key()
    assert one["data"] != other["data"]
    assert one["immutable"]
    key = bytes.fromhex(base64.b64decode(one["data"]["key"]).decode())
    assert len(key) == manifests.SEAL_KEY_BYTES


def test_new_image_restarts_the_server() -> None:
    def template(image_hash: str) -> object:
        return manifests.server(image_hash)[-1]["spec"]["template"]

    assert template("one") == template("one")
    assert template("one") != template("other")


def test_service_selects_the_server() -> None:
    objects = {item["kind"]: item for item in manifests.server()}
    labels = objects["StatefulSet"]["spec"]["template"]["metadata"]["labels"]
    assert objects["Service"]["spec"]["selector"].items() <= labels.items()


@pytest.mark.parametrize(
    ("status", "lack"),
    [
        ({"observedGeneration": 1}, "its last change isn't observed yet"),
        (
            {"observedGeneration": 2, "currentRevision": "a", "updateRevision": "b"},
            "its pod is being replaced",
        ),
        ({"observedGeneration": 2}, "its pod isn't ready"),
        ({"observedGeneration": 2, "readyReplicas": 1}, None),
    ],
)
def test_server_lacks(status: dict[str, object], lack: str | None) -> None:
    assert stateful_set_lack({"metadata": {"generation": 2}, "status": status}) == lack


def test_server_that_is_not_there_lacks_everything() -> None:
    assert stateful_set_lack(None) == "its StatefulSet doesn't exist"
