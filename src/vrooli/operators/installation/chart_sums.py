"""What vendors' charts must contain: sums of the user, and those of the first installation.

The vendors publish no sums beside their charts, and this repository has none: a chart of a version
is trusted when it is installed for the first time, unless the user expects a sum.
"""

from __future__ import annotations

import hashlib
import os
import re
from pathlib import Path

from vrooli import shell
from vrooli.errors import UsageError, VrooliError
from vrooli.kube import Kube
from vrooli.kube.objects import annotations_of
from vrooli.operators.model import VendorChart

# A file of the user with the SHA-256 of each chart, as `sha256sum *.tgz` writes it.
VARIABLE = "VROOLI_CHART_SUMS"
# The annotation of an operator's namespace with the charts that were fetched: name and version, an
# at sign and the digest, separated by spaces.
ANNOTATION = "vrooli.com/chart"
_LINE = re.compile(r"([0-9a-f]{64}) [ *](?:.*/)?([^/]+)")


async def demand(kube: Kube, namespace: str, chart: VendorChart, archive: Path) -> None:
    """Refuse a chart that differs from the expected sum, or from the one of the first installation.

    The sum of a version that is new in this cluster is recorded.

    Args:
        kube: The cluster.
        namespace: The namespace of the operator, which exists.
        chart: The name and version.
        archive: What was fetched.

    Raises:
        UsageError: The file of the user cannot be read, or has no sum of the chart.
        VrooliError: The chart has another sum.
    """
    name = f"{chart.name}-{chart.version}"
    digest = hashlib.sha256(archive.read_bytes()).hexdigest()
    wanted = expected(f"{name}.tgz")
    if wanted and wanted != digest:
        raise VrooliError(
            f"The chart {name} has the SHA-256 {digest}, but {VARIABLE} expects {wanted}.",
            "Verify the repository, or correct the file.",
        )
    body = await kube.get("v1", "Namespace", namespace) or {}
    recorded = dict(item.split("@", 1) for item in annotations_of(body).get(ANNOTATION, "").split())
    before = recorded.get(name, f"sha256:{digest}")
    if before != f"sha256:{digest}":
        raise VrooliError(
            f"The chart {name} has the digest sha256:{digest}, but {before} "
            "was installed: a published version does not change.",
            "Verify the repository. To accept the chart, remove the recorded digests: kubectl "
            f"annotate namespace {shell.label(namespace)} {ANNOTATION}-",
        )
    recorded[name] = before
    text = " ".join(f"{key}@{value}" for key, value in sorted(recorded.items()))
    patch = {"metadata": {"annotations": {ANNOTATION: text}}}
    await kube.patch("v1", "Namespace", namespace, None, patch)


def expected(file_name: str) -> str:
    """The SHA-256 that the user expects of a chart's archive; empty without a file of sums.

    Raises:
        UsageError: The file cannot be read, or has no sum or two sums of the archive.
    """
    path = os.environ.get(VARIABLE, "")
    if not path:
        return ""
    advice = f"Write it with `sha256sum *.tgz`, or unset {VARIABLE}."
    try:
        lines = Path(path).read_text().splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{VARIABLE}: {path} cannot be read: {error}.", advice) from error
    matches = [_LINE.fullmatch(line) for line in lines]
    sums = {match[1] for match in matches if match and match[2] == file_name}
    if len(sums) != 1:
        count = "several sums" if sums else "no sum"
        raise UsageError(f"{VARIABLE}: {path} has {count} of {file_name}.", advice)
    return sums.pop()
