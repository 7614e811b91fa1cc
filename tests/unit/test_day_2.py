"""Each runbook of docs/day-2.md names the tests on a real cluster that prove its commands."""

from __future__ import annotations

import re

import pytest

from support.docs import runbooks
from vrooli import project

# Tests that have a real cluster.
REAL = re.compile(r"tests/(e2e|cluster)/")
PROOFS = sorted({proof for row in runbooks.proofs().values() for proof in row.values()})


def test_each_command_of_each_runbook_has_a_proof() -> None:
    listed = {title: sorted(row) for title, row in runbooks.proofs().items()}
    assert listed == {
        title: sorted(set(shown)) or [runbooks.SITUATION]
        for title, shown in runbooks.commands().items()
    }


@pytest.mark.parametrize("proof", PROOFS)
def test_each_proof_is_a_test_on_a_real_cluster(proof: str) -> None:
    path, _, name = proof.partition("::")
    # The storage of backups is tested without a cluster.
    assert REAL.match(path) or path.startswith("tests/services/"), proof
    text = (project.root() / path).read_text()
    assert re.search(rf"^(async )?def {re.escape(name)}\(", text, re.MULTILINE), proof
