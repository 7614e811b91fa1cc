"""Readiness probes of Redis' pods that answer when Redis is ready, not half a minute later.

The operator 1.2.4 has no field for them. It starts each probe 30 s after the container
(`graceTime` in its generator.go), and repeats it every 10 s. By its probe, a Sentinel is ready as
soon as it answers, although it monitors 127.0.0.1 until the operator has set the master. Without
the 30 s, an update could replace all Sentinels before one of them monitors the master, so the probe
here asks for the master.
"""

from __future__ import annotations

import json

from vrooli.operators.installation.pod_policy import PodPolicy
from vrooli.operators.redis import names

# Each probe starts programs in its container. The kubelet repeats a probe of Redis at once when the
# operator labels the pod with its role; no change of the pod says that a Sentinel has a master.
DELAY_S = 0
SENTINEL_PERIOD_S = 5
# Without an answer for 30 s a pod is not ready, as with the operator's own probe (3 times 10 s).
SENTINEL_FAILURES = 6
PROBE = "/spec/containers/0/readinessProbe"
SENTINEL_READY = (
    'master=$(redis-cli -h "$(hostname)" -p 26379 sentinel get-master-addr-by-name mymaster '
    "| head -n 1); "
    'case "$master" in 127.* | "" | *[!0-9a-fA-F.:]*) exit 1 ;; esac'
)


def _patch(field: str, value: object) -> str:
    """A patch of the probe, in CEL."""
    return f'JSONPatch{{op: "add", path: "{PROBE}/{field}", value: {json.dumps(value)}}}'


_SENTINEL = ", ".join(
    (
        _patch("periodSeconds", SENTINEL_PERIOD_S),
        _patch("failureThreshold", SENTINEL_FAILURES),
        _patch("exec/command", ["sh", "-c", SENTINEL_READY]),
    )
)
POLICY = PodPolicy(
    name="vrooli-redis-readiness",
    purpose="start the readiness probes of Redis before its operator's delay of 30 s",
    selector={"matchExpressions": [{"key": names.FAILOVER_LABEL, "operator": "Exists"}]},
    conditions={
        "has-the-probe-of-the-operator": (
            f'object.spec.containers[0].name in ["{names.REDIS}", "{names.SENTINEL}"] '
            "&& object.spec.containers[0].?readinessProbe.exec.command.hasValue()"
        )
    },
    mutation={
        "patchType": "JSONPatch",
        "jsonPatch": {
            "expression": f"[{_patch('initialDelaySeconds', DELAY_S)}] + "
            f'(object.spec.containers[0].name == "{names.SENTINEL}" ? [{_SENTINEL}] : [])'
        },
    },
)
