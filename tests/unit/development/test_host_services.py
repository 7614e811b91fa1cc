"""A service on this host has the environment of its pod, with tunnels to what is in the cluster."""

from __future__ import annotations

import asyncio
import base64
import os
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from support.fakes.cluster import FakeCluster
from vrooli.chart import engine
from vrooli.chart import values as chart_values
from vrooli.development import host_process, host_services, overlay
from vrooli.development.host_services import HostService
from vrooli.development.listeners import LOOPBACK
from vrooli.development.pod_environment import Declared, PodEnvironment
from vrooli.development.services import EditedService
from vrooli.environments import ENVIRONMENTS
from vrooli.errors import UsageError, VrooliError
from vrooli.events import Event, LogLine, Progress

DEV = ENVIRONMENTS["dev"]
DECLARED = Declared({"config": {"PORT": "1", "A": "a"}}, frozenset({"PASSWORD"}))


def container(*variables: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "name": "server",
        "envFrom": [
            {"configMapRef": {"name": "config"}},
            {"secretRef": {"name": "creds"}, "prefix": "DB_"},
            {"secretRef": {"name": "absent", "optional": True}},
        ],
        "env": list(variables),
    }


def cluster() -> FakeCluster:
    password = base64.b64encode(b"p4ss").decode()
    return FakeCluster(
        {"kind": "ConfigMap", "metadata": {"name": "config"}, "data": {"PORT": "1", "A": "a"}},
        {"kind": "Secret", "metadata": {"name": "creds"}, "data": {"PASSWORD": password}},
    )


async def test_the_environment_is_that_of_the_pod() -> None:
    reader = PodEnvironment(cluster(), "dev", DECLARED, Progress())
    key = {"secretKeyRef": {"name": "creds", "key": "PASSWORD"}}
    spec = container(
        {"name": "PORT", "value": "5329"},
        {"name": "OTHER", "valueFrom": key},
        {"name": "URL", "value": "$(A):$(DB_PASSWORD)$$(A) $(NONE)"},
    )
    assert await reader.read(spec) == {
        "PORT": "5329",
        "A": "a",
        "DB_PASSWORD": "p4ss",
        "OTHER": "p4ss",
        "URL": "a:p4ss$(A) $(NONE)",
    }


async def test_the_cluster_gives_values_of_declared_secrets_only() -> None:
    # With these, Python and Node.js run programs of whoever may write the objects.
    hostile = {"BROWSER": "sh -c id", "NODE_OPTIONS": "--import=data:,", "LD_PRELOAD": "x"}
    address = {"A": "http://127.0.0.1:2375"}
    encoded = {key: base64.b64encode(value.encode()).decode() for key, value in hostile.items()}
    kube = cluster()
    kube.add(
        {"kind": "ConfigMap", "metadata": {"name": "config"}, "data": hostile | address},
        {"kind": "ConfigMap", "metadata": {"name": "other"}, "data": hostile},
        {"kind": "Secret", "metadata": {"name": "creds"}, "data": {**encoded, "A": ""}},
    )
    reader = PodEnvironment(kube, "dev", DECLARED, Progress())
    spec = container()
    spec["envFrom"] += [{"configMapRef": {"name": "other"}}]
    assert await reader.read(spec) == {"PORT": "1", "A": "a"}
    assert reader.ignored == {
        "Secret creds": ["A", "BROWSER", "LD_PRELOAD", "NODE_OPTIONS"],
        "ConfigMap other": ["BROWSER", "LD_PRELOAD", "NODE_OPTIONS"],
    }


async def test_a_variable_that_the_container_names_may_come_from_any_key() -> None:
    reader = PodEnvironment(cluster(), "dev", Declared({}, frozenset()), Progress())
    key = {"secretKeyRef": {"name": "creds", "key": "PASSWORD"}}
    assert await reader.read({"env": [{"name": "OWN", "valueFrom": key}]}) == {"OWN": "p4ss"}


def test_the_chart_declares_the_variables_of_the_services() -> None:
    change = {
        "config": {"extra": {"OWN": "1"}},
        "vso": {"connectionUrls": True},
        "spotahomeRedis": {"masterService": True},
    }
    values = chart_values.merge(chart_values.load(DEV), change)
    manifests = engine.render(values, release=DEV.release, namespace=DEV.namespace)
    declared = Declared.of(manifests)
    assert declared.config_maps["vrooli-dev-config"]["OWN"] == "1"
    assert "DB_HOST" in declared.config_maps["vrooli-dev-connections"]
    assert declared.secrets >= {"DB_PASSWORD", "JWT_SECRET", "DB_URL"}
    assert not declared.secrets & {"DB_HOST", "PATH", "BROWSER", "NODE_OPTIONS"}


async def test_values_that_are_no_text_arrive_as_they_are() -> None:
    kube = cluster()
    key = {"secretKeyRef": {"name": "creds", "key": "PASSWORD"}}
    for data, expected in ((b"\xff", b"\xff"), (b"a\0", None)):
        encoded = base64.b64encode(data).decode()
        kube.add({"kind": "Secret", "metadata": {"name": "creds"}, "data": {"PASSWORD": encoded}})
        reader = PodEnvironment(kube, "dev", DECLARED, Progress())
        reading = reader.read({"env": [{"name": "KEY", "valueFrom": key}]})
        if expected is None:
            with pytest.raises(VrooliError, match="KEY has a byte 0"):
                await reading
        else:
            assert os.fsencode((await reading)["KEY"]) == expected


async def test_a_variable_that_only_a_pod_has_is_named() -> None:
    reader = PodEnvironment(cluster(), "dev", DECLARED, Progress())
    spec = container({"name": "NODE", "valueFrom": {"fieldRef": {"fieldPath": "spec.nodeName"}}})
    with pytest.raises(VrooliError, match="The variable NODE has a value that only a pod has"):
        await reader.read(spec)


def test_addresses_in_the_cluster_become_those_of_tunnels() -> None:
    of_pod = {
        "DB_HOST": "pool",
        "DB_PORT": "5432",
        "REDIS_SENTINEL_HOSTS": "rfs-x:26379",
        "NSFW_DETECTOR_URL": "http://detector:8000/v1",
    }
    ports = {"postgres": 1, "redis": 2, "detector": 3}
    assert host_services.connected(of_pod, ports) == {
        "DB_HOST": LOOPBACK,
        "DB_PORT": "1",
        "REDIS_URL": f"redis://{LOOPBACK}:2/0",
        "NSFW_DETECTOR_URL": f"http://{LOOPBACK}:3/v1",
    }
    assert host_services.connected(of_pod, {}) == of_pod


def test_a_service_listens_on_the_loopback_interface_and_inherits_few_variables(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgres://elsewhere")
    (server,) = host_services.choose(["server", "server"])
    environment = server.environment({"DB_PASSWORD": "p4ss"})
    assert (environment["LISTEN_ADDRESS"], environment["PORT"]) == (LOOPBACK, str(server.port))
    assert "DATABASE_URL" not in environment
    assert "p4ss" not in " ".join(server.argv("node", "/state"))


def test_no_request_opens_an_editor() -> None:
    (page,) = host_services.choose(["ui"])
    program = page.environment({})["LAUNCH_EDITOR"]
    assert subprocess.run([program, "/etc/passwd"], check=True, capture_output=True).stdout == b""


def test_editors_attach_only_if_asked_for() -> None:
    (plain,) = host_services.choose(["server"])
    assert plain.debugger == ""
    assert not [word for word in plain.argv("node", "/state") if "debugged" in word]
    (server, page) = host_services.choose(["server", "ui"], debugger=True)
    assert server.debugger == f"{LOOPBACK}:{server.debug_port}"
    assert str(server.debug_port) in server.argv("node", "/state")
    assert page.debugger == ""


def test_a_port_that_is_taken_is_replaced() -> None:
    with socket.socket() as taken:
        taken.bind((LOOPBACK, 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert host_services.free_port(port) not in (port, 0)


def test_a_service_without_a_source_here_is_refused() -> None:
    with pytest.raises(UsageError, match="'adminer' cannot run on this host"):
        host_services.choose(["adminer"])


@pytest.mark.parametrize("name", host_services.NAMES)
def test_the_pod_of_such_a_service_is_marked_and_passes_requests_on(name: str) -> None:
    (service,) = host_services.choose([name])
    change = overlay.relay_values([service.edited])
    values = chart_values.merge(chart_values.load(DEV), change)
    manifests = engine.render(values, release=DEV.release, namespace=DEV.namespace)
    (deployment,) = [
        item for item in manifests if item.kind == "Deployment" and item.name.endswith(f"-{name}")
    ]
    template = deployment.body["spec"]["template"]
    assert overlay.annotations_of(template).keys() == {
        overlay.WATCHED_BY,
        overlay.PROCESS,
        overlay.ON_HOST,
    }
    (relay,) = template["spec"]["containers"]
    assert relay["readinessProbe"]["tcpSocket"] == {"port": "http"}
    assert "httpGet" not in relay["livenessProbe"]
    assert relay["securityContext"]["readOnlyRootFilesystem"]


@asynccontextmanager
async def running(
    service: HostService, environment: Mapping[str, str]
) -> AsyncIterator[asyncio.Queue[str]]:
    """A service that runs until the end of the block, and what it and its log report."""
    lines: asyncio.Queue[str] = asyncio.Queue()

    def listen(event: Event) -> None:
        assert isinstance(event, LogLine)
        lines.put_nowait(event.text)

    task = asyncio.create_task(host_process.run(service, environment, "node", listen))
    async with asyncio.timeout(120):
        yield lines
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_a_service_starts_again_with_an_edit_and_after_its_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (service,) = host_services.choose(["server"])
    source = tmp_path / "program.py"
    source.write_text("print('one')")
    monkeypatch.setattr(host_services.HostService, "source_folders", lambda _: [tmp_path])
    monkeypatch.setattr(host_services.HostService, "argv", lambda *_: [sys.executable, str(source)])
    monkeypatch.setattr(host_services.HostService, "is_reloadable", False)
    async with running(service, {}) as lines:
        assert await lines.get() == "one"
        assert "it ended with exit code 0" in await lines.get()
        source.write_text("import time\nprint('two', flush=True)\ntime.sleep(60)")
        assert "starting again" in await lines.get()
        assert await lines.get() == "two"
        source.write_text("print('three')")
        assert "starting again" in await lines.get()
        assert await lines.get() == "three"


SERVICE = """
import json.decoder, os, sys, time
print({text!r}, os.getppid() != {parent}, flush=True)
time.sleep(60)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="other systems start Python again")
async def test_an_edit_starts_only_the_modules_of_the_service_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    main = tmp_path / "vrooli_server" / "__main__.py"
    main.parent.mkdir()
    (tmp_path / "server").mkdir()
    main.write_text(SERVICE.format(text="one", parent=os.getpid()))
    edited = EditedService(
        "server", "server", (("vrooli_server", "vrooli_server"),), main.parent.name
    )
    monkeypatch.setattr(host_services, "folder", lambda: tmp_path)
    service = HostService(edited, 1, 0)
    async with running(service, service.environment(os.environ)) as lines:
        assert await lines.get() == "one True"
        main.write_text(SERVICE.format(text="two", parent=os.getpid()))
        assert "starting again after 1 changed file" in await lines.get()
        assert await lines.get() == "two True"
        main.write_text("x = (")
        assert "starting again" in await lines.get()
        while "It ended with exit code 1" not in (line := await lines.get()):
            assert not line.startswith("it ended")  # the program itself goes on
        main.write_text(SERVICE.format(text="three", parent=os.getpid()))
        assert "starting again" in await lines.get()
        assert await lines.get() == "three True"
