"""What ordinary shells leave out of the environment, added before anything is started.

Programs that we start get it with the rest of the environment.
"""

from __future__ import annotations

import os
from collections.abc import MutableMapping

from vrooli.project import SYSTEM_PATH

# What our own clients reach without any proxy: clusters' ways in, and forwarded ports.
LOOPBACK = ("127.0.0.1", "localhost")
# Which of the two a program reads differs, and Python's prefers the first.
NO_PROXY = ("no_proxy", "NO_PROXY")
# Means that nothing goes through the proxy; it must stand alone.
EVERYTHING = "*"


def complete(environment: MutableMapping[str, str] = os.environ) -> None:
    """Add the system's folders to PATH, and this host's own addresses to what needs no proxy.

    ``su`` gives root a user's PATH, without the folders of nft and runc. Proxies are asked for
    127.0.0.1, too, by Python's HTTP clients, unless they are told otherwise.
    """
    path = environment.get("PATH", "").split(":")
    path += [folder for folder in SYSTEM_PATH.split(":") if folder not in path]
    environment["PATH"] = ":".join(filter(None, path))
    known = next((environment[name] for name in NO_PROXY if environment.get(name)), "")
    hosts = [host.strip() for host in known.split(",")]
    if EVERYTHING not in hosts:
        hosts += [host for host in LOOPBACK if host not in hosts]
        environment.update(dict.fromkeys(NO_PROXY, ",".join(filter(None, hosts))))
