"""The stand-ins of Vrooli's server and jobs demand what those demand."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest

from support.vrooli_stand_ins import jobs, server


@pytest.fixture
def complete(monkeypatch: pytest.MonkeyPatch) -> None:
    """All variables that the server requires."""
    monkeypatch.setenv("npm_package_name", "@vrooli/server")
    for name in server.REQUIRED:
        monkeypatch.setenv(name, "a value")


@pytest.mark.usefixtures("complete")
@pytest.mark.parametrize("missing", server.REQUIRED)
@pytest.mark.parametrize("value", ["", None])
def test_without_a_variable_it_ends_with_an_error_that_names_it(
    missing: str, value: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(missing) if value is None else monkeypatch.setenv(missing, value)
    with pytest.raises(SystemExit, match=f"{missing} not in environment variables") as ended:
        server.main()
    # A text is printed, and the status is 1.
    assert isinstance(ended.value.code, str)


@pytest.mark.usefixtures("complete")
def test_under_another_name_nothing_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("npm_package_name", "@vrooli/jobs")
    with pytest.raises(SystemExit) as ended:
        server.main()
    assert ended.value.code == 0


@pytest.fixture
def health(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The address of the jobs' health, without a client of Redis."""
    monkeypatch.setattr(jobs.Cache, "client", None)
    with ThreadingHTTPServer(("127.0.0.1", 0), jobs.Health) as service:
        thread = threading.Thread(target=service.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{service.server_port}"
        service.shutdown()
        thread.join()


@pytest.mark.parametrize(
    ("variables", "port"),
    [
        ({}, 4001),
        ({"PORT_JOBS": "4002"}, 4002),
        ({"PORT_JOBS": "4002", "JOBS_HEALTH_PORT": "4003"}, 4003),
    ],
)
def test_the_jobs_listen_at_the_port_of_their_variables(
    variables: dict[str, str], port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert jobs.port() == port


def test_the_jobs_do_not_start_under_the_name_of_another_package(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("npm_package_name", "@vrooli/server")
    with pytest.raises(SystemExit) as ended:
        jobs.main()
    assert ended.value.code == 0


@pytest.mark.parametrize("url", [None, "redis://:secret@127.0.0.1:1/0"])
def test_the_jobs_are_unhealthy_without_redis_and_do_not_end(
    health: str, url: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    if url:
        monkeypatch.setenv("REDIS_URL", url)
    else:
        monkeypatch.delenv("REDIS_URL", raising=False)
    answer = httpx.get(f"{health}/healthcheck", timeout=30, trust_env=False)
    assert (answer.status_code, answer.json()["status"]) == (503, "unhealthy")


def test_the_jobs_write_the_index_beside_the_folder_of_the_sitemaps(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PROJECT_DIR", str(tmp_path))
    assert jobs.write_sitemaps()
    site = tmp_path / "packages" / "ui" / "dist"
    assert {path.relative_to(site).as_posix() for path in site.rglob("*") if path.is_file()} == {
        "sitemap.xml",
        "sitemaps/User-0.xml.gz",
    }


def test_sitemaps_that_cannot_be_written_are_logged_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PROJECT_DIR", str(tmp_path))
    (tmp_path / "packages").write_text("not a folder")
    assert not jobs.write_sitemaps()
    log = (tmp_path / "data" / "logs" / "combined.log").read_text()
    assert "genSitemap caught error" in log
