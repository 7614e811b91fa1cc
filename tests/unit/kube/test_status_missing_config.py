"""Which Secret, ConfigMap or key a container waits for."""

from __future__ import annotations

import pytest

from vrooli.kube.status.missing_config import MissingConfig, parse_missing_config


@pytest.mark.parametrize(
    ("message", "missing"),
    [
        ('secret "creds" not found', MissingConfig("Secret", "creds")),
        ('configmap "settings" not found', MissingConfig("ConfigMap", "settings")),
        (
            'MountVolume.SetUp failed for volume "tls": secret "tls" not found',
            MissingConfig("Secret", "tls"),
        ),
        (
            "couldn't find key PASSWORD in Secret dev/creds",
            MissingConfig("Secret", "creds", "PASSWORD"),
        ),
        (
            "couldn't find key level in ConfigMap dev/settings",
            MissingConfig("ConfigMap", "settings", "level"),
        ),
        ("references non-existent secret key: ca.crt", MissingConfig("Secret", key="ca.crt")),
        ("references non-existent config key: a.conf", MissingConfig("ConfigMap", key="a.conf")),
        ('persistentvolumeclaim "data" not found', None),
        ('serviceaccount "x" not found', None),
        ("", None),
    ],
)
def test_kubelets_words_say_what_is_missing(message: str, missing: MissingConfig | None) -> None:
    assert parse_missing_config(message) == missing
