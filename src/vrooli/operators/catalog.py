"""The operators that this product installs and reads.

A new operator is a package with an `Operator`, and an entry here.
"""

from __future__ import annotations

from collections.abc import Mapping

from vrooli.operators.custom_resource import CustomResource
from vrooli.operators.model import Operator
from vrooli.operators.pgo.operator import PGO
from vrooli.operators.redis.operator import REDIS
from vrooli.operators.vso.operator import VSO

OPERATORS: tuple[Operator, ...] = (PGO, REDIS, VSO)


def resources_by_kind() -> Mapping[str, CustomResource]:
    """The kinds that the operators serve."""
    return {resource.kind: resource for item in OPERATORS for resource in item.resources}


def databases() -> Mapping[str, CustomResource]:
    """Those of the kinds that are databases, with pods and volumes of their own."""
    return {kind: item for kind, item in resources_by_kind().items() if item.has_data}


def find_operator(kind: str) -> Operator | None:
    """The operator that serves a kind; None if none of them does."""
    return next((item for item in OPERATORS if kind in item.kinds), None)
