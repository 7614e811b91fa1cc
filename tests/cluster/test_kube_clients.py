"""Clients of one API server that are open at the same time."""

from __future__ import annotations

from pathlib import Path

import pytest

from vrooli.errors import VrooliError
from vrooli.kube import Kube


async def test_a_way_to_a_pod_that_has_gone_is_refused_in_our_words(bare_kube: Kube) -> None:
    with pytest.raises(VrooliError, match="Port 80 of pod default/gone"):
        await bare_kube.port_forward("default", "gone", 80)


async def test_a_client_that_is_closed_closes_no_other(bare_kubeconfig: Path) -> None:
    async with await Kube.connect(bare_kubeconfig) as first:
        async with await Kube.connect(bare_kubeconfig) as second:
            assert await second.version() == await first.version()
        session = first._api._session
        assert session is not None
        assert not session.is_closed
        assert await first.version()
