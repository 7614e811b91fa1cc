"""The values of pods that run edited files; without these values, pods run their images."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from vrooli.development.services import EDITED, EDITED_SERVICES, IMAGE, EditedService
from vrooli.kube import objects
from vrooli.release import process_identity

# The components whose image for edited files has none itself.
WITHOUT_FILES = frozenset(service.name for service in EDITED_SERVICES if not service.module)
PROGRAMS = Path(__file__).parent / "pod_programs"
# The annotations of such pods: who updates their files, for people, and as a process.
WATCHED_BY, PROCESS = "vrooli.com/watched-by", "vrooli.com/watching-process"
# The annotation of pods whose requests a service on a host answers.
ON_HOST = "vrooli.com/runs-on-host"
# The port of such pods for the connections of the host, which only the Kubernetes API reaches.
RELAY_PORT = 17329
VOLUME = {"emptyDir": {"sizeLimit": "256Mi"}}
# Vite's server resolves packages from the folder above, which is part of the image. Its own
# configuration may be written only where the root file system is writable.
VITE = (
    "trap 'exit 0' TERM; until [ -e .received.json ]; do sleep 0.1; done; "
    "exec node ../node_modules/vite/bin/vite.js --configLoader runner --host --strictPort"
    ' --port "$PORT"'
)
VITE_ENVIRONMENT = {"NODE_ENV": "development"}
VITE_RESOURCES = {
    "requests": {"cpu": "50m", "memory": "256Mi"},
    "limits": {"cpu": "2", "memory": "1Gi"},
}


def program(name: str) -> str:
    """The source text of a program that runs in pods."""
    return (PROGRAMS / f"{name}.py").read_text()


def allowed_hosts(release_values: Mapping[str, Any]) -> dict[str, str]:
    """The variable of Vite's server with the hosts of a release, besides addresses and localhost.

    A host without a name, which stands for all, adds none: Vite refuses names that nobody has set,
    so that no other website reads the page by a name of its own for this address.
    """
    hosts = [
        str(host.get("host") or "")
        for part in ("ingress", "gateway")
        for host in objects.items(release_values, part, "hosts")
    ]
    # Vite writes a wildcard as a dot.
    names = dict.fromkeys(host.removeprefix("*") for host in hosts if host)
    return {"ALLOWED_HOSTS": ",".join(names)} if names else {}


def values(
    services: Iterable[EditedService] = EDITED_SERVICES,
    release_values: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """The values, for pods of these services that this process updates.

    Args:
        services: The services.
        release_values: The other values of the release, for its hosts.
    """
    hosts = allowed_hosts(release_values or {})
    return {"services": {service.key: _service(service, hosts) for service in services}}


def relay_values(services: Iterable[EditedService]) -> dict[str, Any]:
    """The values, for pods that pass their requests on to services of this process's host.

    A debugger may stop a service for long, so the pods are ready while this process runs.
    """
    return {"services": {service.key: _relay(service) for service in services}}


def _relay(service: EditedService) -> dict[str, Any]:
    command = ["sh", "-c", 'exec python3 -c "$0" "$PORT" "$1"', program("relay"), str(RELAY_PORT)]
    return {
        "podAnnotations": {**_marks(), ON_HOST: "true"},
        "pod": {"command": command},
        "probes": {"type": "tcp"},
    }


def _marks() -> dict[str, str]:
    return {WATCHED_BY: process_identity.name(), PROCESS: process_identity.process()}


def _service(service: EditedService, hosts: Mapping[str, str]) -> dict[str, Any]:
    result: dict[str, Any] = {
        "podAnnotations": _marks(),
        "pod": {"volumes": {EDITED: VOLUME}, "command": _command(service)},
    }
    if not service.module:
        result |= {"extraEnv": {**VITE_ENVIRONMENT, **hosts}, "resources": VITE_RESOURCES}
    return result


def _command(service: EditedService) -> list[str]:
    if service.module:
        return ["python", "-c", program("supervisor"), EDITED, IMAGE, service.module]
    return ["sh", "-c", f"cd {EDITED} && {VITE}"]


def receiver(service: EditedService, port: int) -> list[str]:
    """The command that receives the files of a service in its pod."""
    restarted = str(port) if service.module else "0"
    return ["python3", "-c", program("receiver"), EDITED, restarted]


def annotations_of(template: Mapping[str, Any]) -> Mapping[str, str]:
    """The annotations of a pod template that say who updates its files; empty if nobody does."""
    annotations = template.get("metadata", {}).get("annotations") or {}
    names = (WATCHED_BY, PROCESS, ON_HOST)
    return {name: annotations[name] for name in names if name in annotations}


def watchers(templates: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """The process that updates the files of each pod template, for people, by its identity."""
    marks = [annotations_of(template) for template in templates]
    return {item[PROCESS]: item[WATCHED_BY] for item in marks if PROCESS in item}
