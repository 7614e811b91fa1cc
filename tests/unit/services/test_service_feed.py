"""The live feed's fan-out, without Redis."""

from __future__ import annotations

from redis.asyncio import Redis

from vrooli_server.feed import BACKLOG, RESYNC, Event, Feed


def test_every_listener_gets_every_event() -> None:
    """Two pages on one server both get what one publish told."""
    feed, event = Feed(Redis()), Event("post", "{}")
    with feed.listen() as one, feed.listen() as two:
        feed.publish(event)
        assert (one.get_nowait(), two.get_nowait()) == (event, event)


def test_a_slow_listener_gets_a_resync() -> None:
    """Its backlog is bounded, and it knows that it missed something."""
    feed = Feed(Redis())
    with feed.listen() as slow:
        for number in range(BACKLOG + 1):
            feed.publish(Event("post", str(number)))
        assert slow.qsize() == 1
        assert slow.get_nowait() == RESYNC


def test_a_closed_listener_gets_no_events() -> None:
    """A closed page holds nothing."""
    feed = Feed(Redis())
    with feed.listen() as closed:
        pass
    feed.publish(RESYNC)
    assert closed.empty()
