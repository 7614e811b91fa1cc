"""The page: its own tests, its build, and how `serve` serves it."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from support.programs.node import node_folder
from support.programs.ports import free_port
from support.programs.processes import Running
from support.programs.services import SERVICES
from vrooli.development import host_services, overlay

SERVE = "node_modules/serve/build/main.js"


@pytest.fixture(scope="module", autouse=True)
def node() -> Iterator[None]:
    """Node.js and npm first on PATH."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", os.pathsep.join([str(node_folder()), os.environ["PATH"]]))
        yield


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the page's sources with what its lock file pins."""
    folder = tmp_path_factory.mktemp("page") / "ui"
    shutil.copytree(SERVICES / "ui", folder, ignore=shutil.ignore_patterns("node_modules", "dist"))
    _npm(folder, "ci", "--ignore-scripts")
    return folder


@pytest.fixture(scope="module")
def served(page: Path) -> Iterator[str]:
    """The address of the built page, served as the image serves it."""
    _npm(page, "run", "build")
    port = free_port()
    options = ["--config", "../serve.json", "--no-clipboard", "--no-request-logging"]
    options += ["--listen", str(port), "--no-port-switching"]
    argv: list[str | Path] = ["node", page / SERVE, *options, "dist"]
    serve = Running("serve", argv, port, page, {"NO_UPDATE_CHECK": "1"}).start()
    yield f"http://127.0.0.1:{port}"
    serve.stop()


@pytest.fixture(scope="module")
def vite(page: Path) -> Iterator[str]:
    """The address of Vite's server, with the hosts of an Ingress and of a Gateway."""
    release_values = {
        "ingress": {"hosts": [{"host": ""}, {"host": "vrooli.example.com"}]},
        "gateway": {"hosts": [{"host": "*.of.example.org"}]},
    }
    hosts = overlay.allowed_hosts(release_values)
    port = free_port()
    options = ["--configLoader", "runner", "--host", "127.0.0.1", "--port", str(port)]
    argv: list[str | Path] = ["node", page / host_services.VITE, *options, "--strictPort"]
    running = Running("vite", argv, port, page, {**overlay.VITE_ENVIRONMENT, **hosts}).start()
    yield f"http://127.0.0.1:{port}/"
    running.stop()


def test_the_pages_own_tests_pass(page: Path) -> None:
    """Vitest, on the components as a person sees them."""
    _npm(page, "test")


def test_the_health_check_is_a_separate_file(served: str) -> None:
    """Not the page: the probe asks whether serve serves what was built."""
    assert httpx.get(f"{served}/healthcheck").json() == {"status": "up", "service": "ui"}


@pytest.mark.parametrize("path", ["/", "/posts/1", "/any/deep/path", "/?x=1"])
def test_every_route_returns_the_page(served: str, path: str) -> None:
    """The routing is the page's own; a reload anywhere works."""
    answer = httpx.get(served + path)
    assert answer.status_code == 200
    assert '<div id="root">' in answer.text
    assert answer.headers["cache-control"] == "no-cache"
    assert "default-src 'self'" in answer.headers["content-security-policy"]


def test_a_missing_file_is_a_404(served: str) -> None:
    """A page that was loaded before an update gets a 404 for its old script, not HTML."""
    assert httpx.get(f"{served}/assets/gone.js").status_code == 404


def test_built_files_are_immutable(served: str) -> None:
    """Their names change with their contents."""
    script = httpx.get(served).text.partition('src="')[2].partition('"')[0]
    answer = httpx.get(served + script)
    assert answer.status_code == 200
    assert "immutable" in answer.headers["cache-control"]


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("127.0.0.1:28080", 200),
        ("adminer.localhost", 200),
        ("vrooli.example.com", 200),
        ("one.of.example.org", 200),
        ("evil.example.net", 403),
    ],
)
def test_the_development_server_answers_the_hosts_of_the_ingress_and_no_others(
    vite: str, host: str, status: int
) -> None:
    """Another website could have a name for this address, and read the page by it."""
    answer = httpx.get(vite, headers={"Host": host}, timeout=60)
    assert answer.status_code == status
    assert ('<div id="root">' in answer.text) is (status == 200)


def _npm(folder: Path, *words: str) -> None:
    """Run npm; its output is the message when it fails."""
    done = subprocess.run(
        ["npm", *words],
        cwd=folder,
        check=False,
        capture_output=True,
        text=True,
        timeout=840,
    )
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
