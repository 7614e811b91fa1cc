"""The rule that turns scores into a verdict."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

# Default labels: exposed private parts.
LABELS_DEFAULT = (
    "ANUS_EXPOSED",
    "BUTTOCKS_EXPOSED",
    "FEMALE_BREAST_EXPOSED",
    "FEMALE_GENITALIA_EXPOSED",
    "MALE_GENITALIA_EXPOSED",
)


@dataclass(frozen=True)
class Verdict:
    """Whether a picture is NSFW, and the confidence of this verdict in percent."""

    is_nsfw: bool
    confidence_percentage: float


@dataclass(frozen=True)
class Rule:
    """The labels that are NSFW, and their score threshold (0 to 1)."""

    labels: tuple[str, ...] = LABELS_DEFAULT
    threshold: float = 0.5

    def classify(self, scores: Mapping[str, float]) -> Verdict:
        """The verdict for these scores."""
        highest = max((scores[label] for label in self.labels), default=0.0)
        refused = bool(self.labels) and highest >= self.threshold
        certainty = highest if refused else 1.0 - highest
        return Verdict(refused, round(certainty * 100, 1))


@dataclass(frozen=True)
class Settings:
    """The detector's settings, from ``PORT`` and the ``DETECTOR_…`` variables."""

    rule: Rule
    threads: int
    max_bytes: int
    port: int

    @classmethod
    def read(cls, environment: Mapping[str, str], valid_labels: tuple[str, ...]) -> Self:
        """Read the settings.

        Raises:
            ValueError: A setting is invalid; the message names it and the valid values.
        """
        labels = tuple(_words(environment.get("DETECTOR_LABELS", ""))) or LABELS_DEFAULT
        unknown = sorted(set(labels) - set(valid_labels))
        if unknown:
            invalid, valid = ", ".join(unknown), ", ".join(sorted(valid_labels))
            raise ValueError(f"DETECTOR_LABELS: unknown {invalid}; valid are {valid}")
        threshold = _number(environment, "DETECTOR_THRESHOLD", 0.5, 0.0, 1.0)
        return cls(
            rule=Rule(labels, threshold),
            threads=int(_number(environment, "DETECTOR_THREADS", 1, 1, 64)),
            max_bytes=int(_number(environment, "DETECTOR_MAX_BYTES", 10 * 2**20, 1, 2**30)),
            port=int(_number(environment, "PORT", 8000, 0, 65535)),
        )


def read_settings(valid_labels: tuple[str, ...]) -> Settings:
    """Read the settings from the environment; on errors, print them and exit with status 2."""
    try:
        return Settings.read(os.environ, valid_labels)
    except ValueError as error:
        sys.stderr.write(f"{error}\n")
        raise SystemExit(2) from None


def _words(text: str) -> list[str]:
    return [word.strip() for word in text.split(",") if word.strip()]


def _number(
    environment: Mapping[str, str], name: str, default: float, low: float, high: float
) -> float:
    text = environment.get(name, "").strip()
    try:
        value = float(text) if text else default
    except ValueError:
        value = float("nan")
    if not low <= value <= high:
        raise ValueError(f"{name}: must be a number from {low:g} to {high:g}")
    return value
