"""Which permission a request lacked, parsed from the API server's message. No I/O here."""

from __future__ import annotations

import re

from vrooli import shell

# As the API server's RBAC words it; other authorizers add a reason of their own behind it.
_RIGHT = re.compile(
    r'cannot (?P<verb>[\w*]+) resource "(?P<resource>[^"]+)" in API group "(?P<group>[^"]*)"'
    r'(?: at the cluster scope| in the namespace "(?P<namespace>[^"]+)")?'
)
_ANY = "Ask an administrator for the missing permission, or use a different kubeconfig."


def is_refusal(message: str) -> bool:
    """Whether a message reports a missing permission of RBAC."""
    return _RIGHT.search(message) is not None


def advice(message: str) -> str:
    """The permission to ask for, and the command that checks it."""
    match = _RIGHT.search(message)
    if match is None:
        return _ANY
    resource = ".".join(filter(None, (match["resource"].partition("/")[0], match["group"])))
    part = match["resource"].partition("/")[2]
    option = f" --subresource={shell.segment(part)}" if part else ""
    place = f"in namespace {match['namespace']}" if match["namespace"] else "in the whole cluster"
    where = f" -n {shell.label(match['namespace'])}" if match["namespace"] else " --all-namespaces"
    what = f"{match['verb']} {match['resource']}"
    return shell.checked(
        f"Ask an administrator for permission to {what} {place}, or "
        f"use a different kubeconfig. To check it: `kubectl auth can-i "
        f"{shell.segment(match['verb'])} {shell.segment(resource)}{option}{where}`."
    )
