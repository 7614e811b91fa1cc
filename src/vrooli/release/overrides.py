"""Values of a release that are stored in the cluster: what commands such as `scale` have set.

They are in the ConfigMap ``<release>-overrides``: one key for each value, by its path in the
values of the chart, with who set it, when, and by which command. `deploy` and `develop` merge them
last, so that a deploy does not undo these commands. They are no place for secrets.
"""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from vrooli import shell
from vrooli.chart import engine
from vrooli.chart import values as chart_values
from vrooli.chart.values import Values
from vrooli.errors import PrerequisiteError, UsageError
from vrooli.kube import Kube, common_labels
from vrooli.kube.objects import Body, dig, mapping
from vrooli.redaction import Redactor
from vrooli.release import settable
from vrooli.release.model import Release
from vrooli.release.records.author import author

API, KIND = "v1", "ConfigMap"
_EMPTY: Mapping[str, Any] = {}
# A path of keys of the values, which is also a valid key of a ConfigMap.
_PATH = re.compile(r"[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*")


@dataclass(frozen=True)
class Override:
    """A stored value.

    Attributes:
        path: Its keys in the chart's values, such as ``replicaCount.server``.
        value: The value, as JSON has it.
        command: The command that set it, such as ``vrooli scale server 5 -e prod``.
        by: The user who ran the command.
        place: The host or the pipeline run where it ran.
        at: When it was set, UTC.
        replaces: The value that it overrides; None if the chart's default applied.
    """

    path: str
    value: Any
    command: str
    by: str
    place: str
    at: datetime
    replaces: Any = None

    def format(self) -> str:
        """The value with its origin, on one line."""
        origin = f"`{self.command}`, {self.by} on {self.place}, {self.at:%Y-%m-%d %H:%M} UTC"
        return f"{self.path} = {json.dumps(self.value)} ({origin})"


@dataclass(frozen=True)
class Overrides:
    """The stored values of a release, by path."""

    entries: tuple[Override, ...] = ()

    def __bool__(self) -> bool:
        """Whether there are any."""
        return bool(self.entries)

    @property
    def values(self) -> Values:
        """The values as the chart takes them; of two paths, the longer one takes precedence."""
        return nested({item.path: item.value for item in self.entries})

    def merge_into(self, values: Mapping[str, Any]) -> Values:
        """Merge them over other values."""
        return chart_values.merge(values, self.values)

    def get(self, path: str) -> Override | None:
        """The override of a path."""
        return next((item for item in self.entries if item.path == path), None)

    def without(self, paths: Collection[str]) -> Overrides:
        """Those of other paths."""
        return Overrides(tuple(item for item in self.entries if item.path not in paths))


NONE = Overrides()


def config_map_name(release: Release) -> str:
    """The name of the ConfigMap."""
    return f"{release.name}-overrides"


async def fetch(kube: Kube, release: Release) -> Overrides:
    """Fetch the overrides of a release.

    Raises:
        PrerequisiteError: One of them is not valid; the message names it.
    """
    body = await kube.get(API, KIND, config_map_name(release), release.namespace)
    return NONE if body is None else _parse(body, release)


async def demand_unchanged(kube: Kube, release: Release, expected: Overrides) -> None:
    """Refuse to go on if the overrides differ from those that were read before.

    Raises:
        PrerequisiteError: They differ, or they are not valid.
    """
    if await fetch(kube, release) != expected:
        raise PrerequisiteError(
            f"The overrides of {release.name} were changed in the meantime; nothing else was.",
            "Run the same command again: it shows what it would change now.",
        )


def rejection_error(release: Release, stored: Overrides, error: UsageError) -> UsageError:
    """The error for overrides that a chart rejects."""
    entries = "; ".join(item.format() for item in stored.entries)
    return UsageError(
        f"The chart rejects the overrides of {release}: {error.message} Overrides: {entries}.",
        "To deploy without them, use --discard-overrides.",
    )


async def set_values(
    kube: Kube,
    release: Release,
    values: Mapping[str, Any],
    command: str,
    replaced: Mapping[str, Any] = _EMPTY,
) -> Overrides:
    """Set values, beside the existing ones; the caller holds the lock of the release.

    Args:
        kube: The cluster.
        release: The release.
        values: The values by path, such as ``{"replicaCount.server": 5}``.
        command: The command that sets them.
        replaced: The values of the release that they override, nested; an override that exists
            already keeps its own.

    Returns:
        All overrides of the release.

    Raises:
        UsageError: The chart has no such value, or it looks like a secret; nothing was changed.
        PrerequisiteError: The existing overrides are not valid.
    """
    _demand_valid(values)
    current, now, creator = await fetch(kube, release), _now(), author()
    items = []
    for path, value in values.items():
        existing = current.get(path)
        base = existing.replaces if existing else dig(replaced, *path.split("."))
        items.append(Override(path, value, command, creator.name, creator.place, now, base))
    return await replace(kube, release, [*current.without(values.keys()).entries, *items])


async def rebase(kube: Kube, release: Release, values: Mapping[str, Any]) -> None:
    """Store which values the overrides replace now; the caller holds the lock of the release."""
    current = await fetch(kube, release)
    items = [
        dataclasses.replace(item, replaces=dig(values, *item.path.split(".")))
        for item in current.entries
    ]
    if tuple(items) != current.entries:
        await replace(kube, release, items)


async def remove(kube: Kube, release: Release, paths: Collection[str] | None = None) -> Overrides:
    """Remove overrides; the caller holds the lock of the release.

    Args:
        kube: The cluster.
        release: The release.
        paths: Their paths; None removes all, valid or not.

    Returns:
        The remaining overrides.

    Raises:
        PrerequisiteError: The existing overrides are not valid.
    """
    if paths is None:
        return await replace(kube, release, ())
    return await replace(kube, release, (await fetch(kube, release)).without(paths).entries)


async def replace(kube: Kube, release: Release, items: Iterable[Override]) -> Overrides:
    """Replace all overrides, for example to restore those of a moment before."""
    result = Overrides(tuple(sorted(items, key=lambda item: item.path)))
    place = (API, KIND, config_map_name(release), release.namespace)
    current, desired = await kube.get(*place), _build(release, result)
    if not result:
        await kube.delete(*place)
    elif current is None:
        await kube.create(desired, release.namespace)
    else:  # not an apply, which would leave the keys that people have added
        desired["metadata"]["resourceVersion"] = current["metadata"]["resourceVersion"]
        await kube.replace(desired)
    return result


def _now() -> datetime:
    """The current time, as exact as it is stored."""
    return datetime.now(UTC).replace(microsecond=0)


def _build(release: Release, overrides: Overrides) -> dict[str, Any]:
    labels = {
        common_labels.MANAGED_BY: "vrooli",
        common_labels.PART_OF: "vrooli",
        "vrooli.com/overrides-of": release.name,
    }
    metadata = {
        "name": config_map_name(release),
        "namespace": release.namespace,
        "labels": labels,
    }
    data = {item.path: _pack(item) for item in overrides.entries}
    return {"apiVersion": API, "kind": KIND, "metadata": metadata, "data": data}


def _pack(item: Override) -> str:
    fields = {name: value for name, value in asdict(item).items() if name != "path"}
    return json.dumps({**fields, "at": item.at.isoformat(timespec="seconds")}, ensure_ascii=False)


def _parse(body: Body, release: Release) -> Overrides:
    items = []
    for path, packed in sorted(mapping(body, "data").items()):
        try:
            items.append(_unpack(path, packed))
        except (ValueError, TypeError, KeyError) as error:
            raise _invalid(release, path, error) from error
    return Overrides(tuple(items))


def _unpack(path: str, packed: str) -> Override:
    fields = json.loads(packed)
    if not _PATH.fullmatch(path):
        raise ValueError("its name is not a path of keys")
    texts = {name: fields[name] for name in ("command", "by", "place")}
    if not all(isinstance(text, str) for text in texts.values()):
        raise TypeError("command, by and place must be texts")
    at = datetime.fromisoformat(fields["at"]).astimezone(UTC)
    value, replaces = fields["value"], fields.get("replaces")
    settable.demand_from_command(path, value, fields["command"])
    return Override(path=path, value=value, at=at, replaces=replaces, **texts)


def _invalid(release: Release, path: str, error: Exception) -> PrerequisiteError:
    name = config_map_name(release)
    where = f"{shell.name(name)} -n {shell.label(release.namespace)}"
    return PrerequisiteError(
        f"The key {path} of ConfigMap {name} is not valid: {type(error).__name__}: {error}.",
        f"Correct it: `kubectl edit configmap {where}`. Or deploy with --discard-overrides.",
    )


def _demand_valid(values: Mapping[str, Any]) -> None:
    """Refuse values that the chart does not have, and secrets.

    Raises:
        ValueError: A path is not valid.
        UsageError: The chart rejects a value, or it looks like a secret.
    """
    for path in values:
        if not _PATH.fullmatch(path):
            raise ValueError(f"{path!r} is not a path of keys")
    tree = nested(values)
    if Redactor().tree(tree) != tree:
        raise UsageError(
            f"These values look like secrets: {', '.join(sorted(values))}.",
            "Store secrets in Vault.",
        )
    # Problems without a path are those of several values at once, which the release has.
    if problems := [item for item in engine.value_problems(tree) if item.path]:
        texts = "; ".join(f"{'.'.join(item.path)}: {item.text}" for item in problems)
        raise UsageError(f"The chart rejects these values: {texts}.")


def nested(values: Mapping[str, Any]) -> Values:
    """Values by path as nested mappings."""
    result: Values = {}
    for path, value in sorted(values.items()):
        for key in reversed(path.split(".")):
            value = {key: value}  # noqa: PLW2901 - built from the inside out
        result = chart_values.merge(result, value)
    return result
