"""The socket tables of pods."""

from __future__ import annotations

from vrooli.graph.live.proc_net import Socket, parse

TABLE = """\
  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 00000000:0BB8 00000000:0000 0A 00000000:00000000 00:00000000 00000000 10001        0 1 1 0
   1: 0A00F40A:0BB8 0400F40A:9C40 01 00000000:00000000 00:00000000 00000000 10001        0 2 1 0
   2: 0A00F40A:0BB8 0400F40A:9C41 06 00000000:00000000 03:000013EB 00000000     0        0 0 3 0
"""
SIX = "   0: 0000000000000000FFFF00000A00F40A:14D1 0000000000000000FFFF00000400F40A:9C42 01 0:0"


def test_open_and_recently_closed_connections_are_parsed() -> None:
    assert parse(TABLE) == (
        Socket(("10.244.0.10", 3000), ("10.244.0.4", 40000), True),
        Socket(("10.244.0.10", 3000), ("10.244.0.4", 40001), False),
    )


def test_an_ipv4_connection_in_the_table_of_ipv6_has_its_ipv4_addresses() -> None:
    assert parse(SIX) == (Socket(("10.244.0.10", 5329), ("10.244.0.4", 40002), True),)


def test_an_ipv6_address_is_parsed_in_kernel_byte_order() -> None:
    line = "0: B80D0120000000000000000001000000:0050 B80D0120000000000000000002000000:0051 01"
    assert parse(line)[0].local == ("2001:db8::1", 80)


def test_other_lines_are_ignored() -> None:
    assert parse("cat: /proc/net/tcp6: No such file\n0: zz:1 00000000:0000 01\n0:\n\n") == ()
