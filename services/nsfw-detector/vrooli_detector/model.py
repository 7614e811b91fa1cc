"""The model: NudeNet's 320 px detector, run with onnxruntime on pictures read by Pillow.

Only the model file of the ``nudenet`` package is used: its code requires OpenCV (150 MB), fails on
greyscale pictures, and computes boxes that are not required here.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from PIL import Image

from vrooli_detector.pictures import read_image

SIDE = 320
# The model's classes in the order of its output, as its package lists them.
LABELS = (
    "FEMALE_GENITALIA_COVERED",
    "FACE_FEMALE",
    "BUTTOCKS_EXPOSED",
    "FEMALE_BREAST_EXPOSED",
    "FEMALE_GENITALIA_EXPOSED",
    "MALE_BREAST_EXPOSED",
    "ANUS_EXPOSED",
    "FEET_EXPOSED",
    "BELLY_COVERED",
    "FEET_COVERED",
    "ARMPITS_COVERED",
    "ARMPITS_EXPOSED",
    "FACE_MALE",
    "BELLY_EXPOSED",
    "MALE_GENITALIA_EXPOSED",
    "ANUS_COVERED",
    "FEMALE_BREAST_COVERED",
    "BUTTOCKS_COVERED",
)
# A row of the output: the box's four numbers, then one score for each class.
BOX_NUMBERS = 4


class Model:
    """The loaded model; ``scores`` may be called from any thread."""

    def __init__(self, threads: int = 1) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        # The arena would retain memory that is not required: all inputs have the same size.
        options.enable_cpu_mem_arena = False
        self._session = onnxruntime.InferenceSession(
            str(_model_file()), options, providers=["CPUExecutionProvider"]
        )
        self._input = self._session.get_inputs()[0].name

    def scores(self, data: bytes) -> dict[str, float]:
        """The highest score of each label in the picture, from 0 to 1.

        Raises:
            UnreadableImageError: The data is not a readable picture.
        """
        (output,) = self._session.run(None, {self._input: to_input(read_image(data, 2 * SIDE))})
        best = np.asarray(output)[0, BOX_NUMBERS:].max(axis=1)
        return {label: float(score) for label, score in zip(LABELS, best, strict=True)}


def to_input(image: Image.Image) -> NDArray[np.float32]:
    """The model's input: a square of 320 px, padded at right and below, channels first, 0 to 1."""
    square = Image.new("RGB", (SIDE, SIDE))
    square.paste(image.resize(_fitting(image.size), Image.Resampling.BILINEAR), (0, 0))
    return np.asarray(square, dtype=np.float32).transpose(2, 0, 1)[np.newaxis] / np.float32(255)


def _fitting(size: tuple[int, int]) -> tuple[int, int]:
    """The size with the longer side of ``SIDE`` and the same aspect ratio, at least 1 px each."""
    width, height = (max(1, round(side * SIDE / max(size))) for side in size)
    return width, height


def _model_file() -> Path:
    """Path of the model in the ``nudenet`` package, without importing its code."""
    spec = find_spec("nudenet")
    if spec is None or spec.origin is None:
        raise FileNotFoundError("the package nudenet, which ships the model, is not installed")
    return Path(spec.origin).with_name("320n.onnx")
