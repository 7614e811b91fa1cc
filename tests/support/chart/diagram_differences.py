"""Where our pictures differ from the specification's, each with its reason: the only place."""

from __future__ import annotations

ARCHITECTURE = "Overall System Architecture"
CONNECTIVITY = "Service Connectivity and Data Flow"
SECRETS = "Secrets Management Flow"
DELIVERY = "Deployment and Build Flow"

_PULL = "whatever has an image of the registry pulls it with this Secret, not only three services"
_ROLE = "the specification shows three pods; whatever reads a Secret is one"
_STAGING = "values-staging.yaml is added to the two environments' files"
_ROTATES = "the rotator gives the databases a password that changed in Vault"
_SENTINEL = "clients find Redis' master by asking Sentinel"

# Arrows of ours that the specification doesn't have, by diagram and ends.
MORE: dict[tuple[str, str, str], str] = {
    (ARCHITECTURE, "Ingress", "Adminer"): "development reaches Adminer through the Ingress, too",
    (ARCHITECTURE, "K8sSecrets", "Redis"): "Redis has its password from the same Secret",
    (ARCHITECTURE, "Rotator", "PGO"): _ROTATES,
    (ARCHITECTURE, "Rotator", "Redis"): _ROTATES,
    (CONNECTIVITY, "Server", "RedisSentinel"): _SENTINEL,
    (CONNECTIVITY, "Jobs", "RedisSentinel"): _SENTINEL,
    (CONNECTIVITY, "Rotator", "PGPrimary"): _ROTATES,
    (CONNECTIVITY, "Rotator", "RedisMaster"): _ROTATES,
    (CONNECTIVITY, "Rotator", "RedisSentinel"): _ROTATES,
    (SECRETS, "K8sSecret4", "RedisPod"): _ROLE,
    (SECRETS, "K8sSecret5", "NSFWPod"): _PULL,
    (SECRETS, "K8sSecret5", "AdminerPod"): _PULL,
    (SECRETS, "K8sSecret5", "RotatorPod"): _PULL,
    (SECRETS, "K8sSecret5", "PGOPod"): _PULL,
    (SECRETS, "K8sSecret5", "RedisPod"): _PULL,
    (DELIVERY, "DeployScript", "ValuesStaging"): _STAGING,
    (DELIVERY, "ValuesStaging", "Templates"): _STAGING,
    (DELIVERY, "Templates", "Others"): "the chart makes kinds that the specification doesn't draw",
}
# Arrows of the specification that nothing supports.
FEWER: dict[tuple[str, str, str], str] = {}
# Boxes whose words differ: the specification's line, and ours.
_CUSTOM = "the kind is VaultStaticSecret: VaultSecret doesn't exist"
TITLES: dict[tuple[str, str], tuple[str, str, str]] = {
    **{
        (SECRETS, f"VaultSecret{number}"): ("VaultSecret CR", "VaultStaticSecret CR", _CUSTOM)
        for number in range(1, 6)
    },
    (DELIVERY, "Deployments"): (
        "ui, server, jobs, nsfwDetector, adminer",
        "ui, server, jobs, nsfwDetector, adminer, rotator",
        _ROTATES,
    ),
    (DELIVERY, "VSOResources"): (
        "VaultAuth, VaultConnection, VaultSecret",
        "VaultAuth, VaultConnection, VaultStaticSecret",
        _CUSTOM,
    ),
}
