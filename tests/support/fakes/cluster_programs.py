"""A stand-in for kind and minikube, which refuses each call that their `--help` does not know.

The file is run under the name of one of them. It keeps the clusters of a machine and their images
in a JSON file, and behaves as the programs do where Docker does not run. As `docker`, it executes
`crictl` in the nodes of kind. Source: `kind --help` of 0.30 and `minikube --help` of 1.37, and
those of their subcommands that are used; the output of `crictl images` of 1.34.

The JSON file contains `docker` (whether it runs), `clusters` (their states by name), `roles` (of
the nodes of a kind cluster), `broken` (nodes that load nothing), `kubeconfig` (of each cluster),
`failing` (an error message by the first words of a call) and `hanging` (the first words of calls
that never end). `calls` and `images` are written.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tarfile
import time
from pathlib import Path
from typing import Any

# The variable with the path of the JSON file.
STATE = "CLUSTER_PROGRAMS_STATE"
NO_DOCKER = 'failed to list clusters: command "docker ps -a" failed: executable file not found'


def kind(arguments: list[str]) -> None:
    """Run a call of kind."""
    parser = argparse.ArgumentParser(prog="kind", allow_abbrev=False)
    verbs = parser.add_subparsers(dest="verb", required=True)
    create = _sub(_sub(verbs, "create", "what"), "cluster")
    for flag in ("--name", "--wait", "--config", "--image", "--kubeconfig"):
        create.add_argument(flag)
    create.add_argument("--retain", action="store_true")
    get = _sub(verbs, "get", "what")
    _sub(get, "clusters")
    _sub(get, "nodes").add_argument("--name", default="kind")
    kubeconfig = _sub(get, "kubeconfig")
    kubeconfig.add_argument("--name", default="kind")
    kubeconfig.add_argument("--internal", action="store_true")
    load = _sub(_sub(verbs, "load", "what"), "image-archive")
    load.add_argument("archives", nargs="+")
    load.add_argument("--name", default="kind")
    load.add_argument("--nodes")
    call = parser.parse_args(arguments)
    state = _state()
    if not state["docker"]:
        sys.exit(f"ERROR: {NO_DOCKER}")
    match call.verb, call.what:
        case "create", _:
            _demand(call.name not in state["clusters"], f"node(s) already exist for {call.name!r}")
            _save({**state, "clusters": {**state["clusters"], call.name: "running"}})
        case "get", "clusters":
            names = list(state["clusters"])
            sys.stdout.write("".join(f"{name}\n" for name in names))
            sys.stderr.write("" if names else "No kind clusters found.\n")
        case "get", "nodes":
            sys.stdout.write("".join(f"{node}\n" for node in _nodes(state, call.name)))
        case "get", _:
            _demand(call.name in state["clusters"], f"could not locate any nodes for {call.name!r}")
            is_running = state["clusters"][call.name] == "running"
            _demand(is_running, "failed to get cluster internal kubeconfig: is not running")
            sys.stdout.write(state.get("kubeconfig", "apiVersion: v1\nkind: Config\n"))
        case _:
            _demand(Path(call.archives[0]).exists(), f"{call.archives[0]}: no such file")
            for node in _nodes(state, call.name):
                _load(node, call.archives[0])


def docker(arguments: list[str]) -> None:
    """Run a call of docker: `docker exec NODE crictl images --output json`."""
    verb, node, *command = arguments
    _demand(verb == "exec", f"docker: unknown command {verb!r}")
    _demand(command == ["crictl", "images", "--output", "json"], f"unknown: {command}")
    images = [
        {"id": image_id, "repoTags": [name], "repoDigests": []}
        for name, image_id in _state().get("images", {}).get(node, {}).items()
    ]
    sys.stdout.write(json.dumps({"images": images}))


def _nodes(state: dict[str, Any], cluster: str) -> list[str]:
    return [f"{cluster}-{role}" for role in state.get("roles", ["control-plane"])]


def _load(node: str, path: str) -> None:
    """Load an archive into a node, unless the state makes it fail there without an error."""
    state = _state()
    if node in state.get("broken", []) or not Path(path).exists():
        return
    with tarfile.open(path) as archive:
        index = json.load(archive.extractfile("index.json") or sys.stdin)
        images = {}
        for entry in index["manifests"]:
            blob = archive.extractfile(f"blobs/{entry['digest'].replace(':', '/')}")
            config = json.load(blob or sys.stdin)["config"]["digest"]
            images[entry["annotations"]["org.opencontainers.image.ref.name"]] = config
    all_images = state.get("images", {})
    _save({**state, "images": {**all_images, node: {**all_images.get(node, {}), **images}}})


def minikube(arguments: list[str]) -> None:
    """Run a call of minikube."""
    parser = argparse.ArgumentParser(prog="minikube", allow_abbrev=False)
    verbs = parser.add_subparsers(dest="verb", required=True)
    start = _sub(verbs, "start")
    profiles = _sub(_sub(verbs, "profile", "what"), "list")
    profiles.add_argument("--output", "-o", choices=("json", "table"))
    profiles.add_argument("--light", "-l", action="store_true")
    image = _sub(verbs, "image", "what")
    load, listing = _sub(image, "load"), _sub(image, "ls")
    load.add_argument("archives", nargs="+")
    listing.add_argument("--format", choices=("short", "table", "json", "yaml"))
    for command in (start, profiles, load, listing):
        command.add_argument("--profile", "-p", default="minikube")
    call = parser.parse_args(arguments)
    state = _state()
    if call.verb == "profile":
        valid = [{"Name": name, "Status": status} for name, status in state["clusters"].items()]
        sys.stdout.write(json.dumps({"invalid": [], "valid": valid}))
    elif call.verb == "start":
        _demand(state["docker"], "Exiting due to PROVIDER_DOCKER_NOT_FOUND", status=69)
        _save({**state, "clusters": {**state["clusters"], call.profile: "OK"}})
        if "kubeconfig" in state:  # minikube writes the context of the profile
            Path(os.environ["KUBECONFIG"]).write_text(state["kubeconfig"])
    else:
        reason = f"Exiting due to GUEST_IMAGE_{'LOAD' if call.what == 'load' else 'LIST'}"
        _demand(state["clusters"].get(call.profile) == "OK", reason, 80)
        if call.what == "load":
            _load(call.profile, call.archives[0])
        else:
            images = state.get("images", {}).get(call.profile, {}).items()
            # docker in the node lists IDs without their algorithm.
            listed = [
                {"id": image_id.removeprefix("sha256:"), "repoTags": [name], "repoDigests": []}
                for name, image_id in images
            ]
            sys.stdout.write(json.dumps(listed) + "\n")


def _sub(parent: Any, name: str, dest: str = "") -> Any:
    """Add a command; with ``dest``, one whose own commands have that name."""
    command = parent.add_parser(name, allow_abbrev=False)
    return command.add_subparsers(dest=dest, required=True) if dest else command


def _demand(is_given: bool, message: str, status: int = 1) -> None:
    if not is_given:
        sys.stderr.write(f"ERROR: {message}\n")
        sys.exit(status)


def _state() -> dict[str, Any]:
    return dict(json.loads(Path(os.environ[STATE]).read_text()))


def _save(state: dict[str, Any]) -> None:
    Path(os.environ[STATE]).write_text(json.dumps(state))


def _record(words: list[str]) -> None:
    """Note a call; end it with an error, or never, if the state says so."""
    state, call = _state(), " ".join(words)
    _save({**state, "calls": [*state.get("calls", []), call]})
    for begin, message in state.get("failing", {}).items():
        _demand(not call.startswith(begin), message)
    while any(call.startswith(begin) for begin in state.get("hanging", [])):
        time.sleep(60)


if __name__ == "__main__":
    program = Path(sys.argv[0]).name
    _record([program, *sys.argv[1:]])
    {"kind": kind, "minikube": minikube, "docker": docker}[program](sys.argv[1:])
