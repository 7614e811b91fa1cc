"""The chart and the values of a revision, as Helm has recorded them: to apply them again."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from vrooli.errors import PrerequisiteError
from vrooli.kube import Kube
from vrooli.kube.objects import Body, items, mapping, text
from vrooli.release.model import Release, Revision, secret_name
from vrooli.release.records import encoding


@dataclass(frozen=True)
class RecordedSource:
    """What a revision was made of.

    Attributes:
        chart: The chart, in the form of Helm's record.
        values: The values over those of the chart.
    """

    chart: Body
    values: dict[str, Any]

    def write(self, folder: Path) -> None:
        """Write the chart as a folder that Helm can load.

        Raises:
            ValueError: A name of a file leaves the folder.
        """
        for name, content in self._files():
            if PurePosixPath(name).is_absolute() or ".." in PurePosixPath(name).parts:
                raise ValueError(f"the chart contains a file named {name!r}")
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)

    def _files(self) -> Iterator[tuple[str, bytes]]:
        # JSON is YAML.
        yield "Chart.yaml", json.dumps(mapping(self.chart, "metadata")).encode()
        yield "values.yaml", json.dumps(mapping(self.chart, "values")).encode()
        if schema := text(self.chart, "schema"):
            yield "values.schema.json", base64.b64decode(schema)
        for item in (*items(self.chart, "files"), *items(self.chart, "templates")):
            yield text(item, "name"), base64.b64decode(text(item, "data"))


async def fetch(kube: Kube, release: Release, revision: Revision) -> RecordedSource:
    """Fetch the chart and the values of a revision.

    Raises:
        PrerequisiteError: Its record can't be read.
    """
    name = secret_name(release.name, revision.number)
    secret = await kube.get("v1", "Secret", name, release.namespace)
    try:
        content: Mapping[str, Any] = encoding.unpack(text(secret, "data", "release"))
    except encoding.ERRORS as error:
        raise PrerequisiteError(
            f"Helm's record of revision {revision.number} of {release} can't be read "
            f"({type(error).__name__}: {error}).",
            "Deploy an artifact with `vrooli deploy`.",
        ) from error
    return RecordedSource(mapping(content, "chart"), dict(mapping(content, "config")))
