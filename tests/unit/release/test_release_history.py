"""What is told of Helm's errors."""

from __future__ import annotations

from pathlib import Path

import helm_python
import pytest

from support.canaries import Canary, canaries, leaked
from vrooli.release import Release, history

RELEASE = Release("vrooli-dev", "dev", Path("kubeconfig"))


@pytest.mark.parametrize(
    "item", [item for item in canaries(1) if not item.known], ids=lambda item: str(item.shape)
)
def test_an_error_of_helm_is_told_without_what_looks_like_a_secret(item: Canary) -> None:
    error = helm_python.HelmError(f"Deployment is invalid: env[0].value: {item.text}: refused")
    told = history.failure(RELEASE, "upgrade", error).message
    assert "Deployment is invalid: env[0].value: " in told
    assert leaked([item], told) == []
