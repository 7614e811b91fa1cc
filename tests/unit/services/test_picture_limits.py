"""The limits of pictures: the detector's memory, and the server's limits of pixels before it."""

from __future__ import annotations

import asyncio
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import ExifTags, Image, ImageOps, PngImagePlugin

from support.browser.pictures import declared_png, landscape
from support.programs.ports import free_port
from vrooli import project
from vrooli_detector import pictures
from vrooli_detector.pictures import MAX_DECODED_BYTES, UnreadableImageError, read_image
from vrooli_server import picture_size
from vrooli_server.picture_size import MAX_PIXELS, pixel_count

MIB = 2**20
SIDE = 640
# The process with its model, an upload, and the server; see vrooli_detector.pictures.
PROCESS_LIMIT_MIB = 300
# Reads pictures one after another, as the service does, and prints the peak of memory of each.
READ = """
import sys
from pathlib import Path
from vrooli_detector.model import Model
model = Model()
for path in map(Path, sys.argv[1:]):
    Path("/proc/self/clear_refs").write_text("5")  # the peak begins anew
    model.scores(path.read_bytes())
    lines = Path("/proc/self/status").read_text().splitlines()
    print(path.name, [line for line in lines if line.startswith("VmHWM")][0].split()[1])
"""


def _saved(image: Image.Image, name: str, **options: object) -> bytes:
    buffer = BytesIO()
    image.save(buffer, name, **options)
    return buffer.getvalue()


def _blank(pixels: float, mode: str = "RGB") -> Image.Image:
    """A picture of about so many pixels, 4 by 3."""
    return Image.new(mode, (round((pixels * 4 / 3) ** 0.5), round((pixels * 3 / 4) ** 0.5)))


# Pictures just below the limits of their format.
LARGEST: dict[str, Callable[[], bytes]] = {
    "png": lambda: _saved(_blank(14.5e6, "RGBA"), "PNG", compress_level=1),
    "palette.png": lambda: _saved(_blank(14.5e6, "P"), "PNG"),
    "grey16.png": lambda: _saved(_blank(14.5e6, "I;16"), "PNG"),
    "narrow.png": lambda: _saved(Image.new("RGB", (16000, 100)), "PNG"),
    "webp": lambda: _saved(_blank(7.8e6), "WEBP", method=0),
    "lossless.webp": lambda: _saved(_blank(7.8e6, "RGBA"), "WEBP", lossless=True, method=0),
    "gif": lambda: _saved(_blank(10e6, "P"), "GIF"),
    "progressive.jpg": lambda: _saved(_blank(38e6), "JPEG", progressive=True),
    "full.jpg": lambda: _saved(_blank(20e6), "JPEG", progressive=True, subsampling=0),
    "narrow.jpg": lambda: _saved(Image.new("RGB", (65_000, 550)), "JPEG", progressive=True),
    "cmyk.jpg": lambda: _saved(_blank(15.5e6, "CMYK"), "JPEG", progressive=True),
}


def _environment() -> dict[str, str]:
    """The environment of a detector's process, with the allocator's setting of its image."""
    folder = project.root() / "services/nsfw-detector"
    settings = re.findall(r"(MALLOC_\w+)=(\d+)", (folder / "Containerfile").read_text())
    assert len(settings) == 1
    return {"PYTHONPATH": str(folder), **dict(settings)}


@pytest.fixture(scope="module")
def peaks_kib(tmp_path_factory: pytest.TempPathFactory) -> dict[str, int]:
    """The peak of memory of one process with the model at each of the largest pictures."""
    folder = tmp_path_factory.mktemp("largest")
    for name, make in LARGEST.items():
        (folder / name).write_bytes(make())
    done = subprocess.run(
        [sys.executable, "-c", READ, *(str(folder / name) for name in LARGEST)],
        capture_output=True,
        text=True,
        check=True,
        timeout=600,
        env=_environment(),
    )
    return {name: int(peak) for name, peak in map(str.split, done.stdout.splitlines())}


@pytest.mark.parametrize("name", LARGEST)
def test_the_largest_pictures_stay_below_the_memory_limit(
    name: str, peaks_kib: dict[str, int]
) -> None:
    assert peaks_kib[name] / 1024 < PROCESS_LIMIT_MIB - 30


@contextmanager
def _detector(port: int) -> Iterator[int]:
    """The id of a detector's process."""
    process = subprocess.Popen(
        [sys.executable, "-m", "vrooli_detector"],
        env={**_environment(), "PORT": str(port)},
        stderr=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
    )
    try:
        yield process.pid
    finally:
        process.kill()
        process.wait()


async def test_concurrent_uploads_stay_below_the_memory_limit() -> None:
    port = free_port()
    # Each file has the largest size that the server accepts.
    files = [LARGEST[name]().ljust(5 * MIB, b"\0") for name in ("png", "lossless.webp")]
    with _detector(port) as pid:
        async with httpx.AsyncClient(
            base_url=f"http://127.0.0.1:{port}",
            transport=httpx.AsyncHTTPTransport(retries=8),  # until the model is loaded
            timeout=300,
        ) as client:
            requests = (client.post("/v1/detect", files={"file": file}) for file in files * 4)
            answers = await asyncio.gather(*requests)
        status = Path(f"/proc/{pid}/status").read_text()
    assert {answer.status_code for answer in answers} == {200}
    (peak_kib,) = re.findall(r"VmHWM:\s+(\d+)", status)
    assert int(peak_kib) / 1024 < PROCESS_LIMIT_MIB


@pytest.mark.parametrize(
    "data",
    [
        declared_png(100_000, 100_000),
        declared_png(1, 12_000_000),
        declared_png(20_000, 20_000),
        _saved(_blank(9e6), "WEBP", method=0),
        _saved(_blank(22e6), "JPEG", subsampling=0),
    ],
    ids=["png", "png of many rows", "smaller png", "webp", "jpeg"],
)
def test_a_picture_that_needs_too_much_memory_is_refused_by_its_header(data: bytes) -> None:
    with pytest.raises(UnreadableImageError, match="pixels"):
        read_image(data, SIDE)


def _with_scans(number: int) -> bytes:
    """A progressive picture whose last scan is repeated."""
    data = _saved(
        Image.new("L", (64, 64), 99), "JPEG", progressive=True, icc_profile=b"\xff\xda" * 99
    )
    begin = data.rindex(b"\xff\xda")
    return data[:begin] + data[begin:-2] * number + data[-2:]


def test_a_jpeg_has_few_scans_whatever_its_segments_and_the_bytes_behind_it_contain() -> None:
    # The file has seven scans; the others are in its color profile, or behind its end.
    last = _with_scans(0)  # without the last scan
    most = picture_size.MAX_SCANS - last.count(b"\xff\xda", last.index(b"\xff\xc2"))
    accepted = _with_scans(most) + b"\xff\xda" * 99
    assert picture_size.has_few_scans(accepted)
    assert pictures.read_image(accepted, 64).size == (64, 64)
    _assert_refused(_with_scans(most + 1), "too many scans")
    assert pictures.MAX_SCANS == picture_size.MAX_SCANS


def test_a_reserved_marker_in_compressed_data_hides_no_scans() -> None:
    data = _saved(Image.new("L", (64, 64), 99), "JPEG", progressive=True, restart_marker_blocks=1)
    at, begin = data.index(b"\xff\xd0"), data.rindex(b"\xff\xda")
    # libjpeg skips the marker before a restart; its "segment" would have 65,535 bytes.
    hidden = data[:at] + b"\xff\x02\xff\xff" + data[at:begin]
    image = pictures.read_image(hidden + data[begin:], 64)
    assert image.tobytes() == pictures.read_image(data, 64).tobytes()
    _assert_refused(hidden + data[begin:-2] * picture_size.MAX_SCANS + data[-2:], "scans")


def test_a_jpeg_of_a_million_segments_is_refused_at_once() -> None:
    end = _saved(Image.new("L", (64, 64), 99), "JPEG")[2:]
    begin = time.process_time()
    _assert_refused(b"\xff\xd8" + b"\xff\xfe\x00\x02" * 1_000_000 + end, "too many segments")
    assert time.process_time() - begin < 1


def test_a_jpeg_of_several_pictures_has_few_scans() -> None:
    frame = Image.new("L", (64, 64), 99)
    several = _saved(frame, "MPO", save_all=True, append_images=[frame])
    assert pictures.read_image(several, 64).size == (64, 64)
    progressive = _with_scans(picture_size.MAX_SCANS)
    header = several[: several.index(b"\xff\xdb")]
    _assert_refused(header + progressive[progressive.index(b"\xff\xdb") :], "too many scans")


def _assert_refused(data: bytes, reason: str) -> None:
    assert not picture_size.has_few_scans(data)
    with pytest.raises(pictures.UnreadableImageError, match=reason):
        pictures.read_image(data, 64)


def _with_text_bomb() -> bytes:
    info = PngImagePlugin.PngInfo()
    info.add_text("comment", "x" * 8 * MIB, zip=True)
    return _saved(Image.new("RGB", (8, 8)), "PNG", pnginfo=info)


def _with_profile_bomb() -> bytes:
    return _saved(Image.new("RGB", (8, 8)), "PNG", icc_profile=b"x" * 8 * MIB)


@pytest.mark.parametrize("make", [_with_text_bomb, _with_profile_bomb])
def test_a_compressed_text_or_profile_of_megabytes_is_unreadable(
    make: Callable[[], bytes],
) -> None:
    with pytest.raises(UnreadableImageError):
        read_image(make(), SIDE)


@pytest.mark.parametrize("name", ["TIFF", "BMP", "PPM"])
def test_only_the_formats_of_the_web_are_decoded(name: str) -> None:
    with pytest.raises(UnreadableImageError):
        read_image(_saved(Image.new("RGB", (8, 8)), name), SIDE)


def test_a_jpeg_with_a_sampling_of_zero_is_unreadable() -> None:
    data = bytearray(_saved(Image.new("RGB", (8, 8)), "JPEG"))
    frame = data.index(b"\xff\xc0")
    for component in range(3):
        data[frame + 11 + 3 * component] = 0
    with pytest.raises(UnreadableImageError):
        read_image(bytes(data), SIDE)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_picture_with_a_damaged_value_of_exif_is_read_upright(orientation: int) -> None:
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    exif[ExifTags.Base.XResolution] = 72.0
    # The rational number becomes a text, which ``ImageOps.exif_transpose`` does not accept.
    raw = exif.tobytes().replace(b"\x01\x1a\x00\x05", b"\x01\x1a\x00\x02")
    picture = Image.effect_noise((60, 40), 50)
    picture.getexif()[ExifTags.Base.Orientation] = orientation
    expected = ImageOps.exif_transpose(picture)
    read = read_image(_saved(picture, "PNG", exif=raw), SIDE)
    assert read.tobytes() == expected.convert("RGB").tobytes()


SEEDS = [
    _saved(Image.effect_noise((60, 40), 50).convert(mode), name, **options)
    for mode, name, options in (
        ("RGB", "PNG", {}),
        ("P", "PNG", {}),
        ("RGB", "JPEG", {"progressive": True}),
        ("CMYK", "JPEG", {}),
        ("RGBA", "WEBP", {}),
        ("P", "GIF", {}),
    )
]


@given(st.sampled_from(SEEDS), st.lists(st.tuples(st.integers(0, 4000), st.integers(0, 255))))
def test_a_damaged_picture_is_read_or_unreadable_and_its_size_is_known_to_both(
    seed: bytes, damages: list[tuple[int, int]]
) -> None:
    data = bytearray(seed)
    for at, value in damages:
        data[at % len(data)] = value
    for media_type in MAX_PIXELS:
        pixel_count(media_type, bytes(data))
    try:
        image = read_image(bytes(data), SIDE)
    except UnreadableImageError:
        return
    assert max(image.size) <= SIDE


@pytest.mark.parametrize(
    ("name", "media_type", "options"),
    [
        ("PNG", "image/png", {}),
        ("JPEG", "image/jpeg", {}),
        ("JPEG", "image/jpeg", {"progressive": True, "icc_profile": b"x" * 200_000}),
        ("WEBP", "image/webp", {}),
        ("WEBP", "image/webp", {"lossless": True}),
        ("WEBP", "image/webp", {"icc_profile": b"x" * 100}),
    ],
)
def test_the_server_reads_the_size_of_every_type(
    name: str, media_type: str, options: dict[str, object]
) -> None:
    data = _saved(Image.new("RGB", (123, 45)), name, **options)
    assert pixel_count(media_type, data) == 123 * 45
    assert all(pixel_count(media_type, data[:length]) in (None, 123 * 45) for length in range(40))


def test_a_header_without_a_size_has_none() -> None:
    assert pixel_count("image/jpeg", b"\xff\xd8" + b"\xff" * 5000) is None
    assert pixel_count("image/webp", b"RIFF0000WEBPXXXX" + bytes(40)) is None
    assert pixel_count("image/png", landscape()[:10]) is None


def test_the_server_refuses_only_what_the_detector_refuses() -> None:
    grey = pictures.COEFFICIENT_BYTES + pictures.REDUCED_BYTES
    least = {**pictures.BYTES_PER_PIXEL, "JPEG": grey}
    for name in ("PNG", "WEBP", "JPEG"):
        limit = MAX_DECODED_BYTES / least[name]
        assert 0.99 * limit < MAX_PIXELS[f"image/{name.lower()}"] <= limit
