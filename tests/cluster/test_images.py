"""Images, built by the real builder in a store of the tests' own."""

import asyncio
import base64
import contextlib
import json
import os
import shutil
import struct
import sys
import tarfile
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from support.fakes.registry import digest_of, serve
from support.programs.ports import free_port
from vrooli import images, process
from vrooli.cluster import image_archive
from vrooli.errors import CommandError, PrerequisiteError, UsageError, VrooliError
from vrooli.events import Event, Progress, StepProgressed
from vrooli.images import catalog, records
from vrooli.images.builders import buildah
from vrooli.images.builders.buildah import Buildah, Podman
from vrooli.images.builds import base, engine, pruning

pytestmark = pytest.mark.root

# x86-64 machine code: pause() for ever.
WAIT_FOR_EVER = b"\xb8\x22\x00\x00\x00\x0f\x05\xeb\xf7"


def _static_program(code: bytes) -> bytes:
    """The smallest static program: an ELF header, one segment, the code."""
    start, size = 0x400000, 64 + 56 + len(code)
    header = b"\x7fELF\x02\x01\x01" + bytes(9)
    header += struct.pack("<HHIQQQIHHHHHH", 2, 62, 1, start + 120, 64, 0, 0, 64, 56, 1, 0, 0, 0)
    return header + struct.pack("<IIQQQQQQ", 1, 5, 0, start, start, size, size, 4096) + code


# Setup installs buildah; podman is tested where there is one.
BUILDERS = [Buildah, Podman] if shutil.which("podman") else [Buildah]


@pytest.fixture(params=BUILDERS, ids=lambda builder: builder.name)
async def builder(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Buildah]:
    """A builder with a store of the test's own, in a repository of the test's own."""
    if os.geteuid() != 0:
        pytest.skip("building needs root")
    monkeypatch.setenv("VROOLI_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("VROOLI_ROOT", str(tmp_path))
    shutil.copytree(Path(__file__).parents[2] / "images", tmp_path / "images")
    builder: Buildah = request.param()
    assert await builder.is_usable()
    yield builder
    await process.run([*builder.command("rmi", "--all", "--force")], check=False)
    shutil.rmtree(builder.runtime, ignore_errors=True)


@pytest.fixture
def pause(tmp_path: Path) -> Path:
    """A program that waits for ever, as the image `pause` wants one."""
    program = tmp_path / "pause"
    program.write_bytes(_static_program(WAIT_FOR_EVER))
    program.chmod(0o755)
    return program


async def _ensure(builder: Buildah, program: Path, listener: object = None) -> images.BuiltImage:
    progress = Progress("images", listener) if callable(listener) else Progress()
    built = await images.ensure(["pause"], {"pause": program}, progress, builder=builder)
    return built["pause"]


async def _working_containers(builder: Buildah) -> list[str]:
    listing = ("ps", "--all", "--external") if builder.name == "podman" else ("containers",)
    return (await process.run(builder.command(*listing, "--quiet"))).output.split()


async def test_an_image_is_built_once_and_then_left_alone(builder: Buildah, pause: Path) -> None:
    first, second = await _ensure(builder, pause), await _ensure(builder, pause)
    assert (first.built, second.built) == (True, False)
    assert second.id == first.id == (await builder.images())[_pinned(first)]
    assert len(first.id.removeprefix("sha256:")) == 64


async def test_a_changed_program_makes_another_image_and_the_old_one_can_come_back(
    builder: Buildah, pause: Path
) -> None:
    before = pause.read_bytes()
    first = await _ensure(builder, pause)
    pause.write_bytes(before + b"\0")
    second = await _ensure(builder, pause)
    assert second.built
    assert second.id != first.id
    pause.write_bytes(before)
    third = await _ensure(builder, pause)
    assert (third.id, third.built) == (first.id, False)


async def test_an_image_that_was_removed_is_built_again(builder: Buildah, pause: Path) -> None:
    first = await _ensure(builder, pause)
    await process.run(builder.command("rmi", "--force", _pinned(first)))
    assert (await _ensure(builder, pause)).built


async def test_what_an_earlier_version_built_is_taken_as_it_is(
    builder: Buildah, pause: Path
) -> None:
    first = await _ensure(builder, pause)
    records.write(first.reference, records.Record(first.inputs_hash, first.id, 1.0))
    await builder.tag(first.id, first.reference)
    await builder.remove_name(_pinned(first))
    assert _pinned(first) not in await builder.images()
    second = await _ensure(builder, pause)
    assert (second.id, second.built) == (first.id, False)
    assert (await builder.images())[_pinned(first)] == first.id


async def test_of_many_contents_those_stay_that_were_used_last(
    builder: Buildah, pause: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pruning, "IN_USE_S", 0.0)
    monkeypatch.setattr(pruning, "LAYERS_S", 0.0)
    made = []
    for _ in range(pruning.MAX_PER_IMAGE + 2):
        pause.write_bytes(pause.read_bytes() + b"\0")
        made.append(await _ensure(builder, pause))
    assert set(await builder.images()) == {
        _pinned(image) for image in made[-pruning.MAX_PER_IMAGE :]
    }
    gone = {image.id for image in made[: -pruning.MAX_PER_IMAGE]}
    assert not gone & await _all_images(builder)
    assert await _nameless(builder) == set()


async def test_an_edit_costs_a_build_and_two_listings(
    builder: Buildah, pause: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The store is not pruned again, nor listed before the build if no other run has built."""
    await _ensure(builder, pause)
    for record in (tmp_path / "cache/images/took").iterdir():
        os.utime(record, (0, 0))
    pause.write_bytes(pause.read_bytes() + b"\0")
    commands: list[str] = []
    run = process.run

    async def observe(argv: Sequence[str], **options: Any) -> process.Completed:
        commands.append(argv[5])  # after the program and the paths of its store
        return await run(argv, **options)

    monkeypatch.setattr(process, "run", observe)
    assert (await _ensure(builder, pause)).built
    assert commands == ["images", *builder._build_command, "images"]


async def test_the_layers_of_failed_builds_go_with_the_next_build(
    builder: Buildah, pause: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pruning, "LAYERS_S", 0.0)
    containerfile = tmp_path / "images/pause/Containerfile"
    good = containerfile.read_text()
    leftovers = []
    for number in range(3):
        await asyncio.sleep(1.1)  # the store tells the layers' times in whole seconds
        pause.write_bytes(pause.read_bytes() + b"\0")
        containerfile.write_text(
            "FROM scratch\nCOPY --from=programs pause /pause\nCOPY nothing /\n"
        )
        with pytest.raises(VrooliError):
            await _ensure(builder, pause)
        leftovers.append(await _all_images(builder))
        assert len(leftovers[number]) == 1  # the last one's: the next try may go on from it
    assert not leftovers[0] & leftovers[2]
    containerfile.write_text(good)
    image = await _ensure(builder, pause)
    assert image.id in await _all_images(builder)
    assert await _nameless(builder) == set()


async def test_the_next_build_goes_on_from_the_stages_of_the_last_one(
    builder: Buildah, pause: Path, tmp_path: Path
) -> None:
    containerfile = tmp_path / "images/pause/Containerfile"
    containerfile.write_text(
        "FROM scratch AS stage\nCOPY --from=programs pause /stage\n"
        "FROM scratch\nCOPY --from=stage /stage /pause\nLABEL number=0\n"
    )
    await _ensure(builder, pause)
    stages = await _nameless(builder)
    assert stages
    containerfile.write_text(containerfile.read_text().replace("number=0", "number=1"))
    assert (await _ensure(builder, pause)).built
    assert stages <= await _all_images(builder)


# Builds and packs an image when it is told to, as another checkout of the repository would.
CHECKOUT = """
import asyncio, sys
from pathlib import Path
from vrooli import images
from vrooli.events import Progress
from vrooli.images.builders.buildah import Buildah, Podman

builder = {"buildah": Buildah, "podman": Podman}[sys.argv[1]]()

async def work():
    for line in sys.stdin:
        built = await images.ensure(
            ["pause"], {"pause": Path(sys.argv[2])}, Progress(), builder=builder
        )
        print("built", built["pause"].id, flush=True)
        sys.stdin.readline()
        archive = await images.archive([built["pause"]], Progress(), builder=builder)
        print("packed", archive, flush=True)

asyncio.run(work())
"""


async def test_two_checkouts_with_other_sources_do_not_disturb_each_other(
    builder: Buildah, pause: Path, tmp_path: Path
) -> None:
    async with contextlib.AsyncExitStack() as stack:
        both = [
            await stack.enter_async_context(_checkout(builder, pause, tmp_path / name))
            for name in ("one", "two")
        ]
        for _ in range(3):
            built = await asyncio.gather(*(one.do("built") for one in both))
            assert built[0] != built[1]
            packed = await asyncio.gather(*(one.do("packed") for one in both))
            assert [_config_of(Path(path)) for path in packed] == [
                image_id.removeprefix("sha256:") for image_id in built
            ]
            for one in both:
                one.edit()


class _Checkout:
    """A process at work in a folder of its own, with the store that all share."""

    def __init__(self, process: asyncio.subprocess.Process, program: Path) -> None:
        self._process = process
        self._program = program

    async def do(self, word: str) -> str:
        """Let it build or pack; gives what it says then."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(b"\n")
        async with asyncio.timeout(120):
            said = (await self._process.stdout.readline()).decode().split()
        assert said[:1] == [word], said
        return said[1]

    def edit(self) -> None:
        """Change its sources."""
        self._program.write_bytes(self._program.read_bytes() + b"\0")


@contextlib.asynccontextmanager
async def _checkout(builder: Buildah, pause: Path, root: Path) -> AsyncIterator[_Checkout]:
    shutil.copytree(Path(__file__).parents[2] / "images", root / "images")
    program = root / "pause"
    program.write_bytes(pause.read_bytes() + root.name.encode())
    program.chmod(0o755)
    started = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", CHECKOUT, builder.name, program),
        env={**os.environ, "VROOLI_ROOT": str(root)},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        yield _Checkout(started, program)
    finally:
        assert started.stdin is not None
        started.stdin.close()
        await started.wait()


def _config_of(archive: Path) -> str:
    """The digest of the configuration of the one image in an archive, which is its id."""
    with tarfile.open(archive) as tar:

        def read(name: str) -> dict[str, Any]:
            content = tar.extractfile(name)
            assert content is not None
            found: dict[str, Any] = json.load(content)
            return found

        (manifest,) = read("index.json")["manifests"]
        config = read(f"blobs/{manifest['digest'].replace(':', '/')}")["config"]["digest"]
        return str(config).removeprefix("sha256:")


def _pinned(image: images.BuiltImage) -> str:
    return catalog.find_image(image.name).pinned(image.inputs_hash)


async def _all_images(builder: Buildah) -> set[str]:
    """The ids of all images in the store, those that others stand on, too."""
    listing = builder.command("images", "--all", "--quiet", "--no-trunc")
    ids = set((await process.run(listing)).output.split())
    return {word if word.startswith("sha256:") else f"sha256:{word}" for word in ids}


async def _nameless(builder: Buildah) -> set[str]:
    """The ids of the images that have no name, and on which none stands that has one."""
    listing = json.loads((await process.run(builder.command(*builder._listing()))).output)
    return {
        row.get("id") or row["Id"] for row in listing if not (row.get("names") or row.get("Names"))
    }


async def test_two_runs_at_once_build_an_image_once(builder: Buildah, pause: Path) -> None:
    both = await asyncio.gather(_ensure(builder, pause), _ensure(builder, pause))
    assert sorted(image.built for image in both) == [False, True]


async def test_a_build_says_what_it_does_and_what_is_left(builder: Buildah, pause: Path) -> None:
    heard: list[Event] = []
    await _ensure(builder, pause, heard.append)
    said = [event for event in heard if isinstance(event, StepProgressed)]
    assert said[0].detail.startswith("pause: STEP 1/4: FROM scratch")
    assert all(event.remaining_s is not None for event in said)


async def test_a_failed_build_ends_with_what_the_builder_said(
    builder: Buildah, pause: Path, tmp_path: Path
) -> None:
    (tmp_path / "images/pause/Containerfile").write_text("FROM scratch\nCOPY nothing /\n")
    with pytest.raises(VrooliError) as caught:
        await _ensure(builder, pause)
    assert "localhost/vrooli/pause:1" in caught.value.message
    assert "nothing" in caught.value.message
    assert await _working_containers(builder) == []


async def test_an_interrupted_build_leaves_nothing_behind(
    builder: Buildah, pause: Path, tmp_path: Path
) -> None:
    (tmp_path / "images/pause/Containerfile").write_text(
        'FROM scratch\nCOPY --from=programs --chmod=0755 pause /pause\nRUN ["/pause"]\n'
    )
    running = asyncio.Event()

    def listen(event: Event) -> None:
        if "RUN" in getattr(event, "detail", ""):
            running.set()

    task = asyncio.create_task(_ensure(builder, pause, listen))
    async with asyncio.timeout(180):
        await running.wait()
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
    assert await _working_containers(builder) == []
    assert list((tmp_path / "cache/images").glob("build-*")) == []
    assert str(pause) not in (await process.run(["ps", "-eo", "args"])).output


async def test_a_store_that_a_killed_build_left_half_written_heals(
    builder: Buildah, pause: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = await _ensure(builder, pause)
    _take_manifest_away(builder, first.id.removeprefix("sha256:"))
    with pytest.raises(CommandError, match="manifest"):
        await process.run(builder.command(*builder._listing()))
    monkeypatch.setattr(buildah, "COMMIT_S", 0.5)
    second = await _ensure(builder, pause)
    assert second.built
    assert (await builder.images())[_pinned(second)] == second.id


async def test_an_image_that_is_being_written_is_waited_for(
    builder: Buildah, pause: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = await _ensure(builder, pause)
    give_back = _take_manifest_away(builder, first.id.removeprefix("sha256:"))
    looking = asyncio.create_task(builder.images())
    await asyncio.sleep(1)
    assert not looking.done()
    give_back()
    assert (await looking)[_pinned(first)] == first.id


def _take_manifest_away(builder: Buildah, image_id: str) -> Callable[[], None]:
    """Leave the store as a build that was killed a moment before its end; gives the way back."""
    (listing,) = builder.store.glob("*-images/images.json")
    before = listing.read_text()
    rows = json.loads(before)
    (row,) = [row for row in rows if row["id"] == image_id]
    row.pop("names", None)
    for part in ("big-data-names", "big-data-sizes", "big-data-digests"):
        kept = [name for name in row[part] if not name.startswith("manifest")]
        row[part] = kept if isinstance(row[part], list) else {n: row[part][n] for n in kept}
    for file in (listing.parent / image_id).iterdir():
        if _is_manifest(file):
            file.rename(file.with_name(f".tmp-{file.name}"))
    listing.write_text(json.dumps(rows))

    def give_back() -> None:
        for file in (listing.parent / image_id).glob(".tmp-*"):
            file.rename(file.with_name(file.name.removeprefix(".tmp-")))
        listing.write_text(before)

    return give_back


def _is_manifest(file: Path) -> bool:
    """The store names files that aren't plain words by their base64 behind a "="."""
    name = file.name
    plain = base64.b64decode(name[1:]).decode() if name.startswith("=") else name
    return plain.startswith("manifest")


async def test_a_program_that_is_not_there_is_named(builder: Buildah) -> None:
    with pytest.raises(PrerequisiteError, match="pause"):
        await images.ensure(["pause"], {}, Progress(), builder=builder)


async def test_a_full_disk_is_an_error_before_anything_is_built(
    builder: Buildah, pause: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "REQUIRED_DISK_BYTES", 1 << 60)
    with pytest.raises(PrerequisiteError, match="GiB free"):
        await _ensure(builder, pause)
    assert await builder.images() == {}


async def test_the_archive_holds_the_images_and_is_made_once(builder: Buildah, pause: Path) -> None:
    image = await _ensure(builder, pause)
    path = await images.archive([image], Progress(), builder=builder)
    made = path.stat().st_ino
    assert (await images.archive([image], Progress(), builder=builder)).stat().st_ino == made
    with tarfile.open(path) as archive:
        content = archive.extractfile("index.json")
        assert content is not None
        (manifest,) = json.load(content)["manifests"]
    assert manifest["annotations"]["io.containerd.image.name"] == image.reference


async def test_an_image_of_a_release_is_in_the_archive_under_both_its_names(
    builder: Buildah, pause: Path
) -> None:
    image = await _ensure(builder, pause)
    image = replace(image, pinned=_pinned(image))
    path = await images.archive([image], Progress(), builder=builder)
    with tarfile.open(path) as archive:
        content = archive.extractfile("index.json")
        assert content is not None
        found = {
            part["annotations"]["io.containerd.image.name"]: part["digest"]
            for part in json.load(content)["manifests"]
        }
    assert set(found) == {image.reference, image.pinned}
    assert len(set(found.values())) == 1


async def test_the_archive_of_a_changed_image_is_another(builder: Buildah, pause: Path) -> None:
    before = await images.archive([await _ensure(builder, pause)], Progress(), builder=builder)
    pause.write_bytes(pause.read_bytes() + b"\0")
    after = await images.archive([await _ensure(builder, pause)], Progress(), builder=builder)
    assert before != after


async def test_only_changed_layers_are_compressed_and_the_image_is_that_of_a_whole_compression(
    builder: Buildah, pause: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    containerfile = tmp_path / "images/pause/Containerfile"
    containerfile.write_text(containerfile.read_text() + "COPY Containerfile /source\n")
    await images.archive([await _ensure(builder, pause)], Progress(), builder=builder)
    layout = builder.store.with_name("layout")
    before = {path.name: path.stat().st_ino for path in (layout / "blobs/sha256").iterdir()}
    containerfile.write_text(containerfile.read_text() + "# edited\n")
    edited = await _ensure(builder, pause)
    with monkeypatch.context() as patch:
        pushed: list[set[str]] = []
        push = Buildah._push_to_layout

        async def observe(self: Buildah, image_id: str, reference: str, folder: Path) -> None:
            await push(self, image_id, reference, folder)
            pushed.append({path.name for path in folder.rglob("*") if path.stat().st_size > 0})

        patch.setattr(Buildah, "_push_to_layout", observe)
        path = await images.archive([edited], Progress(), builder=builder)
    # The program's layer is there already: a manifest, a configuration and one layer are new.
    blobs = [name for name in pushed[0] if len(name) == 64]
    assert len(blobs) == 3
    assert not before.keys() & set(blobs)
    digests = image_archive.digests(path)
    shutil.rmtree(layout)
    path.unlink()
    whole = await images.archive([edited], Progress(), builder=builder)
    assert image_archive.digests(whole) == digests


async def test_an_archive_under_other_names_can_be_pulled_by_them(
    builder: Buildah, pause: Path, tmp_path: Path
) -> None:
    image = await _ensure(builder, pause)
    names = {"pause": ["registry.example.com/x/pause:1.2.3", "localhost/vrooli/pause:1.2.3"]}
    target = tmp_path / "services.tar"
    digests = await images.bundle({"pause": image}, names, target, Progress(), builder=builder)
    assert digests["pause"].startswith("sha256:")
    for name in names["pause"]:
        pull = builder.command("pull", "--quiet", f"oci-archive:{target}:{name}")
        pulled = (await process.run(pull)).output.strip()
        assert image.id.removeprefix("sha256:") == pulled.removeprefix("sha256:")
        assert name in await builder.images()


async def test_a_pushed_image_is_in_its_registry_under_the_digest_that_is_told(
    builder: Buildah, pause: Path
) -> None:
    image = await _ensure(builder, pause)
    with serve() as registry:
        name = f"127.0.0.1:{registry.server_port}/x/pause:1.2.3"
        told = await images.push({"pause": image}, {"pause": [name]}, Progress(), builder=builder)
        manifest = registry.manifests["x/pause", "1.2.3"]
        assert told == {name: digest_of(manifest)}
        found = json.loads(manifest)
        assert found["config"]["digest"] == f"sha256:{image.id.removeprefix('sha256:')}"
        assert {part["digest"] for part in found["layers"]} <= registry.blobs.keys()


async def test_a_base_image_is_used_only_if_its_content_has_the_digest_in_its_name(
    builder: Buildah, pause: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    image = await _ensure(builder, pause)
    with serve() as registry:
        name = f"127.0.0.1:{registry.server_port}/debian"
        pushed = await images.push({"pause": image}, {"pause": [f"{name}:12"]}, Progress())
        digest = pushed[f"{name}:12"]
        monkeypatch.setenv(base.VARIABLE, f"{name}:12@{digest}")
        built = await images.ensure(["base"], {}, Progress(), builder=builder)
        assert built["base"].id == image.id
        other = registry.manifests["debian", digest] + b" "
        registry.manifests |= {("debian", "12"): other, ("debian", digest): other}
        await process.run(builder.command("rmi", "--all", "--force"))
        base.renew()  # the base is built again
        with pytest.raises(PrerequisiteError, match=f"{digest} .*can't be pulled"):
            await images.ensure(["base"], {}, Progress(), builder=builder)
        missing = f"sha256:{'0' * 64}"
        monkeypatch.setenv(base.VARIABLE, f"{name}@{missing}")
        with pytest.raises(PrerequisiteError, match=f"{missing} .*can't be pulled"):
            await images.ensure(["base"], {}, Progress(), builder=builder)


async def test_a_push_to_a_registry_that_is_not_there_is_told(
    builder: Buildah, pause: Path
) -> None:
    image, name = await _ensure(builder, pause), f"127.0.0.1:{free_port()}/x/pause:1"
    with pytest.raises(VrooliError, match="could not be pushed"):
        await images.push({"pause": image}, {"pause": [name]}, Progress(), builder=builder)


async def test_an_unknown_builder_is_refused(monkeypatch: pytest.MonkeyPatch, pause: Path) -> None:
    monkeypatch.setenv("VROOLI_IMAGE_BUILDER", "kaniko")
    with pytest.raises(UsageError, match="kaniko"):
        await images.ensure(["pause"], {"pause": pause}, Progress())


async def test_a_host_without_a_builder_is_told_what_to_install(
    monkeypatch: pytest.MonkeyPatch, pause: Path, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(PrerequisiteError) as caught:
        await images.ensure(["pause"], {"pause": pause}, Progress())
    assert "buildah" in caught.value.advice
