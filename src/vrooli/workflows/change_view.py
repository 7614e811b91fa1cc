"""Changes of objects and overrides of values, for results and for people."""

from __future__ import annotations

import json
from collections.abc import Mapping

from vrooli.release.drift.diff import Act, ObjectChange
from vrooli.release.overrides import Override
from vrooli.workflows.results.releases import ChangeView, FieldView, OverrideView

SIGNS: Mapping[str, str] = {Act.ADD: "+", Act.CHANGE: "~", Act.REMOVE: "-"}


def format_change(change: ChangeView) -> list[str]:
    """Format a change as lines of text."""
    empty = "(nothing)"
    return [
        f"{SIGNS[change.action]} {change.object}",
        *(
            f"    {f.path}: {f.before or empty} -> {f.after or empty}{_signature(f)}"
            for f in change.fields
        ),
    ]


def _signature(field: FieldView) -> str:
    """Format who edited a field by hand, and when."""
    if not field.manager:
        return ""
    time = f", {field.changed_at:%Y-%m-%d %H:%M:%S} UTC" if field.changed_at else ""
    return f"  ({field.manager}{time})"


def view(change: ObjectChange) -> ChangeView:
    """A change as a result model."""
    fields = tuple(
        FieldView(
            path=f.path, before=f.before, after=f.after, manager=f.manager, changed_at=f.since
        )
        for f in change.fields
    )
    return ChangeView(object=change.key, action=change.act, fields=fields)


def override_view(item: Override) -> OverrideView:
    """An override as a result model."""
    return OverrideView(
        path=item.path,
        value=json.dumps(item.value),
        command=item.command,
        set_by=item.by,
        set_from=item.place,
        set_at=item.at,
    )
