"""A network namespace per cluster, and the veth pair that links it to the host.

Runs inside the cluster's own mount namespace, so that the namespace's handle is invisible on
the host and ends with the last process of the cluster.
"""

from __future__ import annotations

import contextlib
import ipaddress
import json
from collections.abc import Iterable
from pathlib import Path

from vrooli.cluster.embedded.layout import Layout
from vrooli.cluster.embedded.settings import LINK, LINK_PREFIX, HostLink
from vrooli.errors import CommandError, PrerequisiteError
from vrooli.process import run

# A route to more addresses than the largest private network (10.0.0.0/8 of RFC 1918) says where
# other traffic goes, as a default route does: VPNs set 0.0.0.0/1 and 128.0.0.0/1 (OpenVPN's
# redirect-gateway def1), or a list of such networks around the private ones.
WIDEST_USED = 8

# Ranges to propose when a host uses the configured one: private networks (RFC 1918), and those of
# carriers and of benchmarks (RFC 6598 and 2544), which few VPNs route.
OTHER_CIDRS = ("172.31.240.0/24", "192.168.240.0/24", "100.127.240.0/24", "198.19.240.0/24")

# What the cluster needs inside its namespace; the bridge's only where the kernel has them.
SYSCTLS = {
    "net/ipv4/ip_forward": "1",
    "net/ipv4/conf/all/rp_filter": "0",
    "net/bridge/bridge-nf-call-iptables": "1",
    "net/bridge/bridge-nf-call-ip6tables": "1",
}


def choose_link(
    host_cidr: str, used: Iterable[ipaddress.IPv4Network], preferred: int | None
) -> HostLink:
    """The preferred link if it is free, else the first free one.

    Raises:
        PrerequisiteError: All are taken.
    """
    networks = list(used)
    count = ipaddress.ip_network(host_cidr).num_addresses // 4
    order = [*([] if preferred is None else [preferred]), *range(count)]
    for index in order:
        host_link = HostLink.at(host_cidr, index)
        if not any(host_link.network.overlaps(network) for network in networks):
            return host_link
    other = next((cidr for cidr in OTHER_CIDRS if _is_free(cidr, networks)), "")
    raise PrerequisiteError(
        f"The host already uses every address of {host_cidr}.",
        "Set VROOLI_HOST_CIDR to another range"
        + (f", such as {other}." if other else ". `ip route show table all` lists those in use."),
    )


def _is_free(cidr: str, used: Iterable[ipaddress.IPv4Network]) -> bool:
    return not any(ipaddress.IPv4Network(cidr).overlaps(network) for network in used)


def parse_used_networks(routes: str, addresses: str) -> list[ipaddress.IPv4Network]:
    """The networks in the JSON that ``ip route`` and ``ip address`` print.

    Routes that cover other traffic (default routes and those wider than WIDEST_USED) do not use
    their networks.
    """
    routed = (
        ipaddress.IPv4Network(route["dst"])
        for route in json.loads(routes or "[]")
        if route.get("dst", "default") != "default"
    )
    networks = [network for network in routed if network.prefixlen >= WIDEST_USED]
    for link in json.loads(addresses or "[]"):
        for info in link.get("addr_info", ()):
            if info.get("family") == "inet":
                network = f"{info['local']}/{info['prefixlen']}"
                networks.append(ipaddress.IPv4Network(network, strict=False))
    return networks


async def fetch_used_networks() -> list[ipaddress.IPv4Network]:
    """The networks that the host uses now, in all its routing tables."""
    routes = await run(["ip", "-j", "-4", "route", "show", "table", "all"])
    addresses = await run(["ip", "-j", "-4", "address"])
    return parse_used_networks(routes.output, addresses.output)


async def connect(layout: Layout, host_link: HostLink) -> None:
    """Create the namespace and its link to the host.

    Raises:
        PrerequisiteError: The kernel does not permit it, or the host routes elsewhere.
    """
    layout.netns.touch()
    try:
        await run(["unshare", f"--net={layout.netns}", "true"])
        await run(["ip", "-batch", "-"], stdin=_host_side(host_link, layout))
        await run([*enter_command(layout.netns), "ip", "-batch", "-"], stdin=_node_side(host_link))
        await _set_sysctls(layout.netns)
    except CommandError as error:
        raise PrerequisiteError(
            f"The cluster's network cannot be created:  {error.message}",
            "The kernel must support network namespaces, veth and bridge devices.",
        ) from error
    answer = await run(["ip", "-j", "-4", "route", "get", host_link.node_ip], check=False)
    require_route(host_link, answer.output)


def require_route(host_link: HostLink, answer: str) -> None:
    """Check that the host reaches the cluster through the link.

    A policy rule before the main table, as some VPNs set it, sends this traffic elsewhere.

    Args:
        host_link: The link.
        answer: The JSON that ``ip route get`` prints for the cluster's address.

    Raises:
        PrerequisiteError: It does not.
    """
    route: dict[str, str] = next(iter(json.loads(answer or "[]")), {})
    device = route.get("dev", "nowhere")
    if device == host_link.host_interface:
        return
    table = f" (routing table {route['table']})" if route.get("table") else ""
    raise PrerequisiteError(
        f"The host sends traffic for the cluster's address {host_link.node_ip} to {device}{table} "
        f"instead of {host_link.host_interface}. A VPN or a policy rule routes it.",
        f"Exclude {host_link.network} from the VPN, or add a rule before the others: "
        f"`ip rule add to {host_link.network} lookup main priority 100`. List them with `ip rule`.",
    )


async def disconnect(layout: Layout) -> None:
    """Remove this cluster's link; the kernel removes its other end."""
    for link in find_links(layout.identity):
        with contextlib.suppress(CommandError):  # it just went with its namespace
            await run(["ip", "link", "delete", link])


def find_links(identity: str, links: Path = Path("/sys/class/net")) -> list[str]:
    """The network devices with this cluster's identity as alias."""
    names = []
    for alias in links.glob("*/ifalias"):
        with contextlib.suppress(OSError):  # it just went
            if alias.read_text().strip() == identity:
                names.append(alias.parent.name)
    return names


def enter_command(netns: Path) -> tuple[str, ...]:
    """The command prefix that runs a command in the network namespace only."""
    return ("nsenter", f"--net={netns}")


def _host_side(host_link: HostLink, layout: Layout) -> str:
    # The alias identifies the owner: another cluster may use the index while this one is stopped.
    return (
        f"link add {host_link.host_interface} type veth peer name {LINK} netns {layout.netns}\n"
        f"link set {host_link.host_interface} alias {layout.identity}\n"
        f"address add {host_link.host_ip}/{LINK_PREFIX} dev {host_link.host_interface}\n"
        f"link set {host_link.host_interface} up\n"
    )


def _node_side(host_link: HostLink) -> str:
    return (
        "link set lo up\n"
        f"address add {host_link.node_ip}/{LINK_PREFIX} dev {LINK}\n"
        f"link set {LINK} up\n"
        f"route add default via {host_link.host_ip}\n"
    )


async def _set_sysctls(netns: Path) -> None:
    """Set the existing ones; the namespace's /proc/sys/net is visible only inside it."""
    script = "".join(
        f"[ ! -e /proc/sys/{name} ] || echo {value} > /proc/sys/{name}\n"
        for name, value in SYSCTLS.items()
    )
    await run([*enter_command(netns), "sh", "-e"], stdin=script)
