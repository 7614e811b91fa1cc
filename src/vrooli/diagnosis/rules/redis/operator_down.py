"""The Redis operator isn't there, or doesn't run."""

from __future__ import annotations

from functools import partial

from vrooli.diagnosis.evidence import operators
from vrooli.diagnosis.interface import Rule
from vrooli.operators import REDIS

RULE = Rule(
    rule_id="redis-operator-down",
    title="the Redis operator is absent or has no pod: nothing heals Redis",
    find=partial(operators.not_running, operator=REDIS),
    link="https://github.com/spotahome/redis-operator#operator-deployment-on-kubernetes",
)
