"""What is sent to the API server."""

from __future__ import annotations

import yaml

from vrooli.kube import client


def test_an_applied_object_is_yaml_whatever_characters_it_holds() -> None:
    manifest = {"data": {"text": 'line\nnext \x85\u2028 \x7f \ufeff \U0001f600 "quoted" \\'}}
    assert yaml.safe_load(client._as_yaml(manifest)) == manifest
