"""Completes PATH and NO_PROXY for this process and the programs that it starts."""

from __future__ import annotations

import os
from collections.abc import MutableMapping

from vrooli.project import SYSTEM_PATH

# Addresses that never use a proxy: cluster endpoints and forwarded ports.
LOOPBACK = ("127.0.0.1", "localhost")
# Programs read one or the other; Python prefers the first.
NO_PROXY = ("no_proxy", "NO_PROXY")
# Disables the proxy for all hosts; it must be the only entry.
ALL_HOSTS = "*"


def complete(environment: MutableMapping[str, str] = os.environ) -> None:
    """Add system directories to PATH and loopback addresses to NO_PROXY.

    ``su`` keeps the PATH of the user, which lacks the directories of nft and runc. HTTP clients of
    Python use proxies for 127.0.0.1 by default.
    """
    path = environment.get("PATH", "").split(":")
    path += [folder for folder in SYSTEM_PATH.split(":") if folder not in path]
    environment["PATH"] = ":".join(filter(None, path))
    current = next((environment[name] for name in NO_PROXY if environment.get(name)), "")
    hosts = [host.strip() for host in current.split(",")]
    if ALL_HOSTS not in hosts:
        hosts += [host for host in LOOPBACK if host not in hosts]
        environment.update(dict.fromkeys(NO_PROXY, ",".join(filter(None, hosts))))
