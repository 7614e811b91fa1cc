"""All checks, in the order of the output."""

from __future__ import annotations

from vrooli.checks import tools
from vrooli.checks.cluster import (
    admission,
    api_resources,
    api_server,
    namespace,
    permissions,
    pod_admission,
    references,
)
from vrooli.checks.data import changes, redis_readers
from vrooli.checks.images import local, pull_secret, registry
from vrooli.checks.interface import Check
from vrooli.checks.network import (
    api_server_egress,
    connectivity,
    controller_ingress,
    gateway,
    ingress_class,
    ingress_controller,
    operator_ingress,
    retired_controller,
)
from vrooli.checks.nodes import capacity, gpu
from vrooli.checks.operators import health, postgres_images
from vrooli.checks.storage import classes, volumes
from vrooli.checks.vault import access, keys, policies

ALL: tuple[Check, ...] = (
    tools.CHECK,
    api_server.CHECK,
    namespace.CHECK,
    permissions.CHECK,
    api_resources.CHECK,
    *health.CHECKS,
    postgres_images.CHECK,
    access.CHECK,
    connectivity.VAULT,
    policies.CHECK,
    keys.CHECK,
    classes.CHECK,
    changes.CHECK,
    redis_readers.CHECK,
    volumes.CHECK,
    connectivity.DNS,
    connectivity.NETWORK,
    api_server_egress.CHECK,
    operator_ingress.CHECK,
    ingress_class.CHECK,
    ingress_controller.CHECK,
    retired_controller.CHECK,
    gateway.CHECK,
    controller_ingress.CHECK,
    local.CHECK,
    registry.CHECK,
    pull_secret.CHECK,
    references.CHECK,
    capacity.CHECK,
    gpu.CHECK,
    admission.CHECK,
    pod_admission.CHECK,
)
# The checks that must complete before a cluster counts as ready for a release: the cluster itself
# and the operators. Checks that need a pod, Vault, a registry, classes or nodes may be incomplete,
# since a deploy needs no permission to read them; they are reported in addition.
REQUIRED = frozenset(
    check.name
    for check in (
        api_server.CHECK,
        namespace.CHECK,
        permissions.CHECK,
        api_resources.CHECK,
        *health.CHECKS,
    )
)
STOP_DEPLOYS = tuple(check for check in ALL if check.stops_deploy)
OF_OPERATORS = tuple(check for check in ALL if check.of_operators)
