"""Every check there is, in the order in which people read them."""

from __future__ import annotations

from vrooli.checks import (
    admission,
    cluster,
    controller,
    data,
    gpu,
    images,
    ingress,
    kinds,
    namespace,
    network,
    operators,
    pull_secret,
    registry,
    rights,
    room,
    storage,
    tools,
    vault,
    vault_keys,
    vault_policies,
    volumes,
)
from vrooli.checks.interface import Check

ALL: tuple[Check, ...] = (
    tools.CHECK,
    cluster.CHECK,
    namespace.CHECK,
    rights.CHECK,
    kinds.CHECK,
    *operators.CHECKS,
    vault.CHECK,
    network.VAULT,
    vault_policies.CHECK,
    vault_keys.CHECK,
    storage.CHECK,
    data.CHECK,
    volumes.CHECK,
    network.DNS,
    network.NETWORK,
    ingress.CHECK,
    controller.CHECK,
    images.CHECK,
    registry.CHECK,
    pull_secret.CHECK,
    room.CHECK,
    gpu.CHECK,
    admission.CHECK,
)
# What must be seen before a cluster is said to have all that a release needs: what every other
# check stands on, and who keeps the release. What only a pod can try, a Vault or a registry that
# isn't reached from here, and classes and nodes (a deploy needs no right to read them) are told
# beside.
REQUIRED = frozenset(
    check.name
    for check in (cluster.CHECK, namespace.CHECK, rights.CHECK, kinds.CHECK, *operators.CHECKS)
)
STOP_DEPLOYS = tuple(check for check in ALL if check.stops_deploy)
OF_OPERATORS = tuple(check for check in ALL if check.of_operators)
