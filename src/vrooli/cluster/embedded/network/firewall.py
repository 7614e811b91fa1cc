"""Closes the link to the host, and prepares network policies.

No connection crosses the link in either direction: the forwarder connects from inside. So pods do
not reach the listeners of the host or its networks, and users of the host reach the cluster only
through the forwarded ports.

Policies: tests whether the host can enforce them, and blocks their bypass: IPv6, and new pods.

kube-router writes iptables rules and IP sets. They require features of the kernel and of the
distribution that a container or a small kernel may lack. A test in a temporary network namespace,
which leaves nothing behind, determines whether they work.
"""

from __future__ import annotations

from vrooli.cluster.embedded.layout import Layout
from vrooli.cluster.embedded.network.namespace import enter_command
from vrooli.cluster.embedded.settings import BRIDGE, LINK, POD_RANGE
from vrooli.errors import CommandError, PrerequisiteError
from vrooli.process import run

# One rule of each kind that kube-router writes, with all of its match modules.
RULES = """\
*filter
-A FORWARD -m physdev --physdev-is-bridged -m comment --comment a -m conntrack --ctstate INVALID \
-j DROP
-A FORWARD -m addrtype --src-type LOCAL -m set --match-set vrooli src -m mark ! --mark 0x1/0x1 \
-m limit --limit 10/minute -j NFLOG --nflog-group 100
-A FORWARD -p tcp -m multiport --dports 1:2 -m set --match-set vrooli-nets dst -j REJECT
-A FORWARD -j MARK --set-xmark 0x1/0x1
COMMIT
"""
TRIAL = f"""\
if [ ! -e /proc/sys/net/bridge/bridge-nf-call-iptables ]; then
    echo "the kernel has no br_netfilter" >&2
    exit 1
fi
ipset create vrooli hash:ip timeout 0
ipset create vrooli-nets hash:net timeout 0
iptables-restore <<'END'
{RULES}END
"""
# The kernel assigns a link-local IPv6 address to each pod; policies do not cover these addresses.
WITHOUT_IPV6 = f"""\
table ip6 vrooli {{
    chain forward {{
        type filter hook forward priority filter; policy drop;
    }}
    chain input {{
        type filter hook input priority filter; policy accept;
        iifname "{BRIDGE}" drop
    }}
}}
"""
# kube-router writes the rules of a pod once the pod's status has an address, which is after the
# pod's start. Until then nothing passes: kube-router adds the address to this set after it has
# written the rules. The node itself, with its probes, always reaches pods. All rules are for
# addresses: a packet from the bridge with an address that no pod has would pass them.
GUARDED_SET = "ip vrooli-policies guarded"
CLOSED_NEW_PODS = f"""\
table ip vrooli-policies {{
    set guarded {{
        type ipv4_addr
    }}
    chain forward {{
        type filter hook forward priority filter - 1; policy accept;
        iifname "{BRIDGE}" ip saddr != {POD_RANGE} drop
        ct state established,related accept
        ip saddr {POD_RANGE} ip saddr != @guarded drop
        ip daddr {POD_RANGE} ip daddr != @guarded drop
    }}
    chain input {{
        type filter hook input priority filter - 1; policy accept;
        iifname "{BRIDGE}" ip saddr != {POD_RANGE} drop
        iifname "{BRIDGE}" ct state new ip saddr != @guarded drop
    }}
}}
"""
# The output chain still has the device from before Service addresses were replaced, so those are
# left to ``last``. A rejection, which is not possible there, ends an attempt at once.
CLOSED_LINK = f"""\
table inet vrooli-link {{
    chain input {{
        type filter hook input priority filter; policy accept;
        iifname "{LINK}" drop
    }}
    chain forward {{
        type filter hook forward priority filter; policy accept;
        iifname "{LINK}" drop
        oifname "{LINK}" reject
    }}
    chain output {{
        type filter hook output priority filter; policy accept;
        oifname "{LINK}" ct status dnat return
        oifname "{LINK}" reject
    }}
    chain last {{
        type filter hook postrouting priority filter; policy accept;
        oifname "{LINK}" drop
    }}
}}
"""
LIMIT_S = 20.0


def environment(layout: Layout) -> dict[str, str]:
    """The environment of iptables: its legacy variant would lock a file of the host."""
    return {"XTABLES_LOCKFILE": str(layout.run / "xtables.lock")}


async def close_link(layout: Layout) -> None:
    """Close the link to the host for all connections, from either side.

    Raises:
        PrerequisiteError: The kernel does not support the rules.
    """
    closing = [*enter_command(layout.netns), "nft", "-f", "-"]
    try:
        await run(closing, stdin=CLOSED_LINK, timeout_s=LIMIT_S)
    except CommandError as error:
        raise PrerequisiteError(
            f"The cluster's network cannot be closed to other users: {error.message}",
            "The kernel must support nftables (nf_tables, nft_reject).",
        ) from error


async def prepare(layout: Layout) -> str:
    """Prepare the cluster's network for policies.

    Returns:
        Why this host cannot enforce them; empty if it can.
    """
    # The sets and rules of the test end with its network namespace, which ends with the process.
    trial = ["unshare", "--net", "sh", "-e"]
    closing = [*enter_command(layout.netns), "nft", "-f", "-"]
    try:
        await run(trial, stdin=TRIAL, env=environment(layout), timeout_s=LIMIT_S)
        await run(closing, stdin=WITHOUT_IPV6 + CLOSED_NEW_PODS, timeout_s=LIMIT_S)
    except CommandError as error:
        return next(iter(reversed(error.output.strip().splitlines())), error.message)
    return ""
