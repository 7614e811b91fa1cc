"""Names of images."""

from __future__ import annotations

import pytest

from vrooli.image_names import with_digest


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("r.example:5000/a/server:1.2", "r.example:5000/a/server@sha256:1"),
        ("r.example:5000/server", "r.example:5000/server@sha256:1"),
        ("localhost/vrooli/ui:dev-3f", "localhost/vrooli/ui@sha256:1"),
        ("r.example/ui:1@sha256:0", "r.example/ui@sha256:1"),
    ],
)
def test_the_name_with_a_digest_has_no_tag(name: str, expected: str) -> None:
    assert with_digest(name, "sha256:1") == expected
