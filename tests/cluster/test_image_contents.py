"""What is inside of our images: each is built, and what can be run of it runs."""

import asyncio
import contextlib
import json
import os
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from support.programs.ports import free_port
from vrooli import images, programs
from vrooli.events import Progress
from vrooli.images import BuiltImage
from vrooli.images.builders.buildah import Buildah
from vrooli.images.catalog import IMAGES
from vrooli.programs import versions

pytestmark = pytest.mark.root

SCRATCH = [name for name, image in IMAGES.items() if image.base is None and name != "base"]
DEBIAN = [name for name, image in IMAGES.items() if name not in SCRATCH and not image.step]
# How often a command that printed nothing is run.
ATTEMPTS = 3


@dataclass(frozen=True)
class Containers:
    """A working container per image, as the image's own user."""

    builder: Buildah
    made: dict[str, str]
    ids: dict[str, str]

    def of(self, image: str) -> str:
        if image not in self.made:
            self.made[image] = self._buildah("from", "--pull=false", self.ids[image])
        return self.made[image]

    def run(self, image: str, *argv: str) -> str:
        """What a command prints; on a busy machine buildah sometimes loses it all."""
        for _ in range(ATTEMPTS):
            output = self._buildah("run", "--isolation", "chroot", self.of(image), "--", *argv)
            if output:
                break
        return output

    def start(self, image: str, *argv: str, env: dict[str, str]) -> subprocess.Popen[bytes]:
        given = [word for name, value in env.items() for word in ("--env", f"{name}={value}")]
        how = ("run", "--isolation", "chroot", *given, self.of(image), "--", *argv)
        return subprocess.Popen(self.builder.command(*how), start_new_session=True)

    def config(self, image: str) -> dict[str, Any]:
        output = json.loads(self._buildah("inspect", self.of(image)))
        return dict(output["OCIv1"]["config"])

    def _buildah(self, *words: str) -> str:
        done = subprocess.run(
            self.builder.command(*words), text=True, capture_output=True, timeout=120, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return (done.stdout or done.stderr).strip()


@pytest.fixture(scope="module")
def containers() -> Iterator[Containers]:
    """All images, from the cache where they are in it."""
    if os.geteuid() != 0:
        pytest.skip("building needs root")
    builder = Buildah()

    async def ensure() -> dict[str, images.BuiltImage]:
        wanted = images.programs_of(IMAGES) - {"bao"}
        found = await programs.ensure(wanted, Progress())
        return await images.ensure(IMAGES, found, Progress(), builder=builder)

    ids = {name: image.id for name, image in asyncio.run(ensure()).items()}
    made = Containers(builder, {}, ids)
    yield made
    if made.made:
        subprocess.run(builder.command("rm", *made.made.values()), check=True, capture_output=True)


@pytest.mark.parametrize(
    ("image", "command", "says"),
    [
        ("postgres", "postgres --version", "(PostgreSQL) 15."),
        ("postgres", "psql --version", "(PostgreSQL) 15."),
        ("postgres", "patroni --version", "patroni "),
        ("postgres", "pgbackrest version", "pgBackRest "),
        ("postgres", "pgbouncer --version", "PgBouncer "),
        ("postgres", "python3 -c 'import patroni.dcs.kubernetes as k; print(k.__name__)'", "patro"),
        ("postgres", "LD_PRELOAD=/usr/lib64/libnss_wrapper.so id --user", "26"),
        ("postgres", "/usr/pgsql-15/bin/pg_ctl --version", "(PostgreSQL) 15."),
        (
            "postgres",
            "dpkg-query --show --showformat '${source:Package} ${Version}' postgresql-15-pgvector",
            "pgvector 0.",
        ),
        ("postgres", "ls /etc/pgbackrest.conf || echo none", "none"),
        ("redis", "redis-server --version", "v=7."),
        ("redis", "redis-cli --version", "redis-cli 7."),
        ("redis-exporter", "prometheus-redis-exporter -version 2>&1", "1.45"),
        ("openbao", "bao version", "OpenBao v2.7.2"),
        ("openbao", "touch /openbao/data/x && id --user", "100"),
        ("adminer", "php --modules", "pgsql"),
        ("server", "python -c 'import vrooli_server; print(vrooli_server.__name__)'", "vrooli"),
        ("jobs", "python -c 'import vrooli_jobs; print(vrooli_jobs.__name__)'", "vrooli_jobs"),
        ("nsfw-detector", "python -c 'import onnxruntime as o; print(o.__name__)'", "onnxruntime"),
        ("ui", "node --version", "v"),
    ],
)
def test_what_an_image_is_for_runs_in_it(
    containers: Containers, image: str, command: str, says: str
) -> None:
    assert says in containers.run(image, "sh", "-c", command)


@pytest.mark.parametrize(
    ("image", "argv", "says"),
    [
        ("coredns", ("/coredns", "-version"), versions.COREDNS),
        ("traefik", ("/traefik", "version"), "Version:"),
        ("metrics-server", ("/metrics-server", "--version"), "v"),
        ("local-path-provisioner", ("/usr/bin/local-path-provisioner", "--version"), "version"),
        ("vault-secrets-operator", ("/vault-secrets-operator", "--version"), "{"),
    ],
)
def test_a_program_runs_without_anything_beside_it(
    containers: Containers, image: str, argv: tuple[str, ...], says: str
) -> None:
    assert says in containers.run(image, *argv)


def test_a_backup_job_outside_of_a_cluster_says_so(containers: Containers) -> None:
    said = containers.run("postgres", "sh", "-c", "! /opt/crunchy/bin/pgbackrest 2>&1")
    assert "KUBERNETES_SERVICE_HOST" in said


@pytest.mark.parametrize("image", DEBIAN)
def test_nothing_of_the_host_and_of_the_build_is_left(containers: Containers, image: str) -> None:
    left = containers.run(
        image,
        "sh",
        "-c",
        "cat /etc/pip.conf /root/.npmrc /run/secrets/ca.crt 2>/dev/null; "
        "find /var/lib/apt/lists /var/cache/apt/archives /root/.cache /root/.npm "
        "-type f ! -name lock 2>/dev/null || true",
    )
    assert left == ""
    environment = containers.config(image).get("Env") or []
    names = {entry.partition("=")[0] for entry in environment}
    assert not {"PIP_CERT", "PIP_INDEX_URL", "NODE_EXTRA_CA_CERTS", "HTTP_PROXY"} & names


@pytest.fixture
def adminer(containers: Containers) -> Iterator[Callable[[int], str]]:
    """Starts Adminer for a database on a port of the loopback address; gives its address."""
    with contextlib.ExitStack() as running:

        def start(database: int) -> str:
            port = free_port()
            process = containers.start(
                "adminer",
                *("php", "-S", f"127.0.0.1:{port}", "/srv/adminer/index.php"),
                env={"ADMINER_DEFAULT_SERVER": f"127.0.0.1:{database}"},
            )
            running.callback(process.wait, timeout=30)
            running.callback(os.killpg, process.pid, 15)
            return f"http://127.0.0.1:{port}/"

        yield start


def _await_page(address: str) -> str:
    deadline = time.monotonic() + 120
    while True:
        try:
            return httpx.get(address, trust_env=False, timeout=30).text
        except httpx.ConnectError:
            assert time.monotonic() < deadline
            time.sleep(0.2)


def test_adminer_asks_for_a_person_not_for_a_server(adminer: Callable[[int], str]) -> None:
    page = _await_page(adminer(5432))
    assert "name='auth[driver]' value='pgsql'" in page
    assert "name='auth[server]' value='127.0.0.1:5432' readonly" in page


@pytest.mark.parametrize("field", ["version", "version[]", "version[a][b]", "signature[]"])
def test_a_version_that_anybody_posts_breaks_no_page_of_adminer(
    adminer: Callable[[int], str], field: str
) -> None:
    address = adminer(5432)
    _await_page(address)
    with httpx.Client(trust_env=False, timeout=30) as client:
        posted = client.post(f"{address}?script=version", data={field: "x"})
    assert posted.status_code == httpx.codes.NOT_FOUND
    for _ in range(2):
        page = httpx.get(address, trust_env=False, timeout=30)
        assert page.status_code == httpx.codes.OK
        assert "auth[password]" in page.text


async def test_adminer_reaches_its_own_server_whatever_is_asked(
    adminer: Callable[[int], str],
) -> None:
    asked: list[str] = []

    async def listen(name: str) -> asyncio.Server:
        async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            asked.append(name)
            writer.close()

        return await asyncio.start_server(answer, "127.0.0.1", 0)

    own, other = await listen("own"), await listen("other")
    async with own, other:
        address = adminer(own.sockets[0].getsockname()[1])
        await asyncio.to_thread(_await_page, address)
        form = {
            "auth[driver]": "pgsql",
            "auth[server]": f"127.0.0.1:{other.sockets[0].getsockname()[1]}",
            "auth[username]": "someone",
            "auth[password]": "something",
        }
        async with httpx.AsyncClient(trust_env=False, follow_redirects=True, timeout=30) as client:
            await client.get(address)
            await client.post(address, data=form)
    assert set(asked) == {"own"}


@pytest.mark.parametrize(
    ("image", "expected"),
    [
        ("server", {("deb", "libc6"), ("pypi", "starlette")}),
        ("ui", {("deb", "libc6"), ("npm", "serve"), ("generic", "nodejs")}),
    ],
)
def test_the_packages_of_an_image_are_read_from_it(
    containers: Containers, image: str, expected: set[tuple[str, str]]
) -> None:
    built = BuiltImage(image, image, "", containers.ids[image], built=False)
    packages = asyncio.run(
        images.read_packages({image: built}, Progress(), builder=containers.builder)
    )[image]
    assert expected <= {(package.kind, package.name) for package in packages}
    assert all(package.version for package in packages)
