"""Harmless pictures, drawn here: what tests post."""

from __future__ import annotations

import struct
import zlib
from io import BytesIO

from PIL import Image, ImageDraw, ImageFilter

SKIN, SHADE, HAIR = (224, 172, 138), (201, 155, 124), (70, 40, 20)
SIZE = (480, 480)


def landscape() -> bytes:
    """A hill under a sun: nothing that the detector knows. A PNG."""
    image = Image.new("RGB", SIZE, (150, 190, 230))
    draw = ImageDraw.Draw(image)
    draw.ellipse((330, 50, 420, 140), fill=(250, 220, 90))
    draw.ellipse((-160, 280, 380, 760), fill=(90, 150, 80))
    draw.ellipse((160, 320, 700, 800), fill=(70, 130, 70))
    return _png(image)


def drawn_face() -> bytes:
    """A drawn face, softened: the real model calls it FACE_FEMALE with a score of 0.77. A PNG.

    A detector whose labels hold FACE_FEMALE refuses it, so the refused path is shown with the
    real model and nothing that anyone minds to look at.
    """
    image = Image.new("RGB", SIZE, (150, 180, 200))
    draw = ImageDraw.Draw(image)
    draw.rectangle((130, 380, 350, 480), fill=(60, 80, 150))
    draw.rectangle((205, 330, 275, 400), fill=SHADE)
    draw.ellipse((110, 60, 370, 420), fill=HAIR)
    draw.ellipse((150, 100, 330, 360), fill=SKIN)
    draw.pieslice((145, 85, 335, 230), 180, 360, fill=HAIR)
    for middle in (200, 280):
        _eye(draw, middle)
    draw.polygon([(240, 230), (226, 280), (254, 280)], fill=SHADE)
    draw.chord((205, 295, 275, 335), 0, 180, fill=(190, 70, 70))
    return _png(image.filter(ImageFilter.GaussianBlur(4)))


def _eye(draw: ImageDraw.ImageDraw, middle: int) -> None:
    draw.ellipse((middle - 22, 205, middle + 22, 229), fill="white")
    draw.ellipse((middle - 10, 206, middle + 10, 228), fill=(60, 40, 30))
    draw.ellipse((middle - 5, 211, middle + 5, 223), fill="black")
    draw.arc((middle - 28, 175, middle + 28, 215), 200, 340, fill=HAIR, width=6)


def _png(image: Image.Image) -> bytes:
    buffer = BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


def declared_png(width: int, height: int) -> bytes:
    """A PNG whose header declares a size, without its pixels."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        body = kind + content
        return len(content).to_bytes(4, "big") + body + zlib.crc32(body).to_bytes(4, "big")

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", b"") + chunk(b"IEND", b"")
