"""Convert upstream's values with the table of keys."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from vrooli import shell
from vrooli.chart.upstream import keys, mapping, secret_values
from vrooli.chart.upstream.changes import UnfitError, same
from vrooli.chart.upstream.keys import Path
from vrooli.chart.upstream.output import Output
from vrooli.chart.upstream.rule import Rule

UNKNOWN = "Neither upstream's chart nor this one has this key."
EMPTY = "It is empty; the default of the chart applies."
_PATTERNS = [(keys.parse(rule.key), rule) for rule in mapping.RULES]


class Outcome(StrEnum):
    """What a key became."""

    CONVERTED = "converted"
    OVERRIDDEN = "overridden"
    SECRET = "secret"  # noqa: S105 - the name of an outcome
    OMITTED = "omitted"


@dataclass(frozen=True)
class Entry:
    """One key of upstream's values.

    Attributes:
        source: The key.
        outcome: What it became.
        targets: The keys of this chart that have its value.
        reason: What changed, why it has no place, or where a secret belongs; never the value.
    """

    source: str
    outcome: Outcome
    targets: tuple[str, ...] = ()
    reason: str = ""


@dataclass(frozen=True)
class _Leaf:
    """A value of upstream, the rule of its key, and the wildcards of the rule."""

    path: Path
    value: Any
    rank: int
    rule: Rule | None
    parts: Path = ()


def convert(values: Mapping[str, Any]) -> tuple[Output, list[Entry]]:
    """Convert values of upstream's chart.

    Returns:
        The values of this chart with the source of each, and an entry for each key of upstream,
        in the order of the input.
    """
    leaves = list(_leaves((), dict(values)))
    output, entries = Output(), dict[Path, Entry]()
    secrets = [leaf for leaf in leaves if _is_secret(leaf)]
    for leaf in sorted(leaves, key=lambda item: item.rank):
        if leaf not in secrets:
            entries[leaf.path] = _converted(leaf, output)
    paths = output.values().get("vso", {}).get("secrets", {})
    entries |= {leaf.path: _secret(leaf, paths) for leaf in secrets}
    return output, [_final(entries[leaf.path], output) for leaf in leaves]


def overridden(files: Sequence[tuple[str, Mapping[str, Any]]]) -> list[Entry]:
    """List the values of a file that a later file replaces with a different value.

    Args:
        files: The name and the values of each file, in order.
    """
    entries = []
    for index, (name, values) in enumerate(files):
        for path, value in _scalars((), values):
            later = [other for other, item in files[index + 1 :] if _differs(item, path, value)]
            if later:
                reason = f"{name} is overridden by {later[-1]}."
                entries.append(Entry(keys.format_(path), Outcome.OVERRIDDEN, (), reason))
    return entries


def _leaves(path: Path, value: Any) -> Iterator[_Leaf]:
    is_branch = isinstance(value, dict | list) and bool(value)
    rank, rule, parts = _rule(path, is_branch=is_branch)
    if rule or not is_branch:
        yield _Leaf(path, value, rank, rule, parts)
        return
    items = value.items() if isinstance(value, dict) else enumerate(value)
    for key, item in items:
        yield from _leaves((*path, key), item)


def _rule(path: Path, *, is_branch: bool) -> tuple[int, Rule | None, Path]:
    """The first rule of a path; only rules for whole values apply to a mapping or a list."""
    for rank, (pattern, rule) in enumerate(_PATTERNS):
        parts = keys.match(pattern, path)
        if parts is not None and (rule.whole or not is_branch):
            return rank, rule, parts
    return len(_PATTERNS), None, ()


def _converted(leaf: _Leaf, output: Output) -> Entry:
    source, rule = keys.format_(leaf.path), leaf.rule
    if leaf.value is None or (leaf.value in ({}, []) and (not rule or rule.change is same)):
        return Entry(source, Outcome.OMITTED, (), EMPTY)
    if rule is None or not rule.targets:
        return Entry(source, Outcome.OMITTED, (), rule.note if rule else UNKNOWN)
    try:
        value = rule.change(leaf.value)
    except UnfitError as error:
        return Entry(source, Outcome.OMITTED, (), str(error))
    patterns = [keys.fill(keys.parse(target), leaf.parts) for target in rule.targets]
    targets = [path for pattern in patterns for path in output.expand(pattern)]
    if not targets:
        reason = f"No value has the key {', '.join(rule.targets)}."
        return Entry(source, Outcome.OMITTED, (), reason)
    for target in targets:
        output.put(target, value, source)
    for key, constant in rule.also.items():
        output.put(keys.parse(key), constant, source)
    return Entry(source, Outcome.CONVERTED, tuple(map(keys.format_, targets)), rule.note)


def _is_secret(leaf: _Leaf) -> bool:
    if leaf.rule and leaf.rule.secret:
        return leaf.value not in ("", None)
    if leaf.rule and leaf.rule.whole and not leaf.rule.targets:
        return False
    return secret_values.contains_secret(leaf.path, leaf.value)


def _secret(leaf: _Leaf, secrets: Mapping[str, Any]) -> Entry:
    """The entry of a secret, with its place in Vault.

    Args:
        leaf: The key and its value.
        secrets: `vso.secrets` of the converted values, which may set the paths.
    """
    spec, key = secret_values.place(leaf.path, leaf.rule.secret if leaf.rule else None)
    mount, path = secret_values.vault_path(spec, secrets)
    command = f"vault kv patch -mount={shell.path(mount)} {shell.path(path)} {shell.key(key)}=-"
    reason = shell.checked(f"Values must not contain secrets. Write it to Vault: `{command}`.")
    return Entry(keys.format_(leaf.path), Outcome.SECRET, (), reason)


def _final(entry: Entry, output: Output) -> Entry:
    """The entry after all others: another key may have replaced its values."""
    if entry.outcome is not Outcome.CONVERTED:
        return entry
    remaining = tuple(item for item in entry.targets if entry.source in output.sources(item))
    winners = {
        source
        for item in entry.targets
        if item not in remaining
        for source in output.sources(item) - {entry.source}
    }
    if not winners:
        return entry
    outcome = Outcome.CONVERTED if remaining else Outcome.OVERRIDDEN
    reason = f"{', '.join(sorted(winners))} takes precedence."
    return replace(entry, outcome=outcome, targets=remaining or entry.targets, reason=reason)


def _scalars(path: Path, value: Any) -> Iterator[tuple[Path, Any]]:
    if isinstance(value, Mapping) and value:
        for key, item in value.items():
            yield from _scalars((*path, key), item)
    elif not isinstance(value, Mapping):
        yield path, value


def _differs(values: Any, path: Path, value: Any) -> bool:
    """Whether values have a different value at a path."""
    for key in path:
        if not isinstance(values, Mapping) or key not in values:
            return False
        values = values[key]
    return not isinstance(values, Mapping) and bool(values != value)
