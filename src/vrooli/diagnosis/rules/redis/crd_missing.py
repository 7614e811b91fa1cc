"""The cluster doesn't know RedisFailover."""

from __future__ import annotations

from functools import partial

from vrooli.diagnosis.evidence import operators
from vrooli.diagnosis.interface import Rule
from vrooli.operators import REDIS

RULE = Rule(
    rule_id="redis-crd-missing",
    title='no matches for kind "RedisFailover"',
    find=partial(
        operators.not_served,
        operator=REDIS,
        remedy="Install the operator, definition first; it is too large for a client-side apply.",
        command="kubectl apply --server-side -f https://raw.githubusercontent.com/spotahome/"
        "redis-operator/v1.2.4/manifests/databases.spotahome.com_redisfailovers.yaml",
    ),
    link="https://github.com/spotahome/redis-operator#operator-deployment-on-kubernetes",
)
