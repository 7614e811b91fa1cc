"""What the page does with the server's API, for tests: post, read, listen."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import httpx

from support.programs.processes import PATIENCE_S, wait_until


def send(
    url: str, text: str, picture: bytes | None = None, key: str = "", *, dry_run: bool = False
) -> httpx.Response:
    """Send a post as the page does, whatever the answer."""
    parts: dict[str, Any] = {"text": (None, text)}
    if picture:
        parts["picture"] = ("a.png", picture, "image/png")
    headers = {"Idempotency-Key": f'"{key}"'} if key else {}
    query = "?dry_run=true" if dry_run else ""
    return httpx.post(f"{url}/api/posts{query}", files=parts, headers=headers, timeout=30)


def post(url: str, text: str, picture: bytes | None = None, key: str = "") -> dict[str, Any]:
    """Post a text, with or without a picture; returns the new post as the server shows it."""
    answer = send(url, text, picture, key)
    answer.raise_for_status()
    return dict(answer.json())


def read(url: str, post_id: str) -> dict[str, Any]:
    """The post as the server shows it now."""
    answer = httpx.get(f"{url}/api/posts/{post_id}", timeout=30)
    answer.raise_for_status()
    return dict(answer.json())


def decided(url: str, post_id: str, limit_s: float = PATIENCE_S) -> dict[str, Any]:
    """The post once it isn't pending any more."""
    wait_until(lambda: read(url, post_id)["state"] != "pending", limit_s, "the post has a verdict")
    return read(url, post_id)


def health(url: str) -> dict[str, Any]:
    """The health report, whatever its status."""
    return dict(httpx.get(f"{url}/healthcheck", timeout=30).json())


@dataclass
class Listener:
    """An open page: what it heard so far."""

    events: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    ended: threading.Event = field(default_factory=threading.Event)

    def states_of(self, post_id: str) -> list[str]:
        """The states that it heard of one post, in their order."""
        return [data["state"] for name, data in self.events if data.get("id") == post_id]

    def heard(self, name: str) -> bool:
        """Whether it heard an event of that name."""
        return any(event == name for event, _ in self.events)

    def follow(self, answer: httpx.Response) -> None:
        """Collect events until the stream ends."""
        name = ""
        try:
            for line in answer.iter_lines():
                kind, _, value = line.partition(": ")
                if kind == "event":
                    name = value
                elif kind == "data":
                    self.events.append((name, json.loads(value)))
        except httpx.HTTPError:
            pass  # the server was killed: an end like any other
        finally:
            self.ended.set()


@contextmanager
def listening(url: str) -> Iterator[Listener]:
    """Listen to the server's live events for the length of the block."""
    listener = Listener()
    limits = httpx.Timeout(30, read=60)
    with httpx.stream("GET", f"{url}/api/posts/events", timeout=limits) as answer:
        thread = threading.Thread(target=listener.follow, args=(answer,), daemon=True)
        thread.start()
        wait_until(lambda: listener.heard("hello"), PATIENCE_S, "the live events begin")
        yield listener
        # A closed page, while the thread still reads.
        with suppress(OSError):  # unless the server closed it first
            answer.extensions["network_stream"].get_extra_info("socket").shutdown(socket.SHUT_RDWR)
        thread.join(30)
