"""The Redis operator isn't there, or doesn't run."""

from __future__ import annotations

from functools import partial

from vrooli.diagnosis import keepers
from vrooli.diagnosis.interface import Rule

RULE = Rule(
    name="redis-operator-down",
    title="the Redis operator is absent or has no pod: nothing heals Redis",
    find=partial(keepers.not_running, keeper=keepers.REDIS),
    link="https://github.com/spotahome/redis-operator#operator-deployment-on-kubernetes",
)
