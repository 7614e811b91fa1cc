"""Releases whose pods depend on a process: it updates their files, or runs their services."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Mapping
from typing import Any

from vrooli.chart.manifest import Manifest
from vrooli.development import overlay
from vrooli.environments import Environment
from vrooli.errors import PrerequisiteError, UsageError, VrooliError
from vrooli.kube import ApiError, Kube, common_labels, objects
from vrooli.release import Release, process_identity
from vrooli.release.records import storage
from vrooli.workflows.clusters.selection import Choice
from vrooli.workflows.results.status import EditedView
from vrooli.workflows.safeguards import replacement


def view(manifests: Iterable[Manifest]) -> EditedView | None:
    """The pods of a release that run edited files; None if all run their images."""
    all_marks = {item.name: overlay.annotations_of(_template(item)) for item in manifests}
    edited = {name: marks for name, marks in all_marks.items() if overlay.PROCESS in marks}
    if not edited:
        return None
    first = next(iter(edited.values()))
    return EditedView(
        workloads=tuple(sorted(edited)),
        watched_by=first[overlay.WATCHED_BY],
        on_host=overlay.ON_HOST in first,
        abandoned=process_identity.is_dead(first[overlay.PROCESS]),
    )


async def demand_unwatched_early(choice: Choice, environment: Environment) -> None:
    """Refuse as :func:`demand_unwatched` does, before anything is built, if the cluster runs.

    Raises:
        PrerequisiteError: Another process of this machine updates the files of the release.
    """
    try:
        kube, kubeconfig = await replacement.connect(choice)
    except VrooliError:
        return
    async with kube:
        with contextlib.suppress(ApiError):  # the next check reports it
            await demand_unwatched(kube, Release.of(environment, kubeconfig))


async def demand_unwatched(kube: Kube, release: Release) -> None:
    """Refuse to change a release whose pods depend on another process of this machine.

    Raises:
        PrerequisiteError: Such a process runs.
    """
    record = await storage.fetch_record(kube, release)
    templates = map(_template, record.manifests if record else ())
    for process, name in overlay.watchers(templates).items():
        if process != process_identity.process() and process_identity.is_alive(process):
            raise PrerequisiteError(
                f"The pods of {release.name} run edited files or services on this host, of {name}.",
                "End `vrooli develop --watch` or `vrooli dev` there with Ctrl-C first. With "
                "--watch, it deploys changes of values and templates, too.",
            )


def demand_files(manifests: Iterable[Manifest]) -> None:
    """Refuse to return to pods whose files nobody sends, and whose image has none.

    Python services run the files of their images then. The image of the page's edited files has
    only its packages.

    Raises:
        UsageError: There are such pods.
    """
    for template in map(_template, manifests):
        process = overlay.annotations_of(template).get(overlay.PROCESS)
        component = objects.labels(template).get(common_labels.COMPONENT)
        has_files = component not in overlay.WITHOUT_FILES
        if process is not None and not has_files and not process_identity.is_alive(process):
            raise UsageError(
                f"The pods of {component} ran edited files in this revision, which are not part "
                "of it.",
                "Roll back to a revision that ran images, see `vrooli history`, or run "
                "`vrooli develop` to build the present files.",
            )


def _template(manifest: Manifest) -> Mapping[str, Any]:
    """The pod template of a workload; empty for other objects."""
    return objects.mapping(manifest.body, "spec", "template")
