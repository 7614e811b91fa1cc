"""What a pod can send before and after its rules are written, in network namespaces of the test."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from vrooli.cluster.embedded.network import firewall

POD, SPOOFED, TARGET, PORT = "10.244.0.5", "192.0.2.5", "10.98.0.2", "8080"
# A node with the bridge of the pods, a pod on it, and a target behind another device. The pod has
# an address of its own choice, too: one with CAP_NET_RAW can send from any.
JOINED = f"""\
ip link add cni0 type bridge
ip address add 10.244.0.1/16 dev cni0
ip link add pod0 master cni0 type veth peer name eth0 netns "$1"
ip link add out0 type veth peer name eth0 netns "$2"
ip address add 10.98.0.1/30 dev out0
for device in lo cni0 pod0 out0; do ip link set "$device" up; done
for name in all default cni0 out0; do echo 0 > "/proc/sys/net/ipv4/conf/$name/rp_filter"; done
echo 1 > /proc/sys/net/ipv4/ip_forward
nsenter --net="/proc/$1/ns/net" sh -e -c 'ip address add {POD}/16 dev eth0
    ip address add {SPOOFED}/32 dev eth0; ip link set eth0 up
    ip route add default via 10.244.0.1'
nsenter --net="/proc/$2/ns/net" sh -e -c 'ip address add {TARGET}/30 dev eth0
    ip link set eth0 up; ip route add default via 10.98.0.1'
"""
# Prints the sources of the packets that have arrived when its input ends.
RECEIVE = f"""\
import socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("", {PORT})); print("ready", flush=True); sys.stdin.read(); s.settimeout(0.1)
try:
    while True: print(s.recvfrom(9)[1][0])
except TimeoutError: pass
"""
SEND = f"""\
import socket
for source in ("{POD}", "{SPOOFED}"):
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.bind((source, 0)); s.sendto(b"x", ("{TARGET}", {PORT}))
"""


def _inside(pid: int) -> list[str]:
    return ["nsenter", f"--net=/proc/{pid}/ns/net"]


@pytest.fixture
def joined() -> Iterator[tuple[int, int, int]]:
    """The processes that hold the namespaces of node, pod and target."""
    if os.geteuid() != 0:
        pytest.skip("network namespaces need root")
    processes = [subprocess.Popen(["unshare", "--net", "sleep", "600"]) for _ in range(3)]
    node, pod, target = (process.pid for process in processes)
    try:
        own = Path("/proc/self/ns/net").readlink()
        while any(Path(f"/proc/{pid}/ns/net").readlink() == own for pid in (node, pod, target)):
            pass
        script = ["sh", "-e", "-c", JOINED, "join", str(pod), str(target)]
        subprocess.run([*_inside(node), *script], check=True, timeout=60)
        rules = [*_inside(node), "nft", "-f", "-"]
        subprocess.run(rules, input=firewall.CLOSED_NEW_PODS, text=True, check=True, timeout=60)
        yield node, pod, target
    finally:
        for process in processes:
            process.kill()
            process.wait()


def _sources(pod: int, target: int) -> list[str]:
    """The addresses from which the pod's packets arrive."""
    receiving = [*_inside(target), "python3", "-c", RECEIVE]
    pipe = subprocess.PIPE
    with subprocess.Popen(receiving, stdin=pipe, stdout=pipe, text=True) as receiver:
        assert receiver.stdout is not None
        assert receiver.stdout.readline() == "ready\n"
        subprocess.run([*_inside(pod), "python3", "-c", SEND], check=True, timeout=60)
        return receiver.communicate(timeout=60)[0].split()


def test_a_pod_sends_from_its_own_address_only_and_only_with_rules(
    joined: tuple[int, int, int],
) -> None:
    node, pod, target = joined
    assert _sources(pod, target) == []
    add = ["nft", "add", "element", *firewall.GUARDED_SET.split(), f"{{ {POD} }}"]
    subprocess.run([*_inside(node), *add], check=True, timeout=60)
    assert _sources(pod, target) == [POD]
