"""What network policies stand on: whether this host can enforce them, and no way round them.

kube-router writes iptables rules and IP sets. Each of them takes a part of the kernel or of the
distribution that an ordinary host has, and a container or a small kernel may lack: that is tried
out, where it leaves nothing.
"""

from __future__ import annotations

from vrooli.cluster.embedded.layout import Layout
from vrooli.cluster.embedded.network.namespace import enter_command
from vrooli.cluster.embedded.settings import BRIDGE
from vrooli.errors import CommandError
from vrooli.process import run

# One rule of each kind that kube-router makes, with everything that it matches by.
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
# The kernel gives each pod an IPv6 address of its link, which no policy knows of.
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
LIMIT_S = 20.0


def environment(layout: Layout) -> dict[str, str]:
    """What iptables is told: its old variant would lock a file of the host."""
    return {"XTABLES_LOCKFILE": str(layout.run / "xtables.lock")}


async def prepare(layout: Layout) -> str:
    """Make the cluster's network ready for policies.

    Returns:
        What this host lacks to enforce them, in words; empty when it lacks nothing.
    """
    # The trial's sets and rules end with its network namespace, and that with its only process.
    trial = ["unshare", "--net", "sh", "-e"]
    closing = [*enter_command(layout.netns), "nft", "-f", "-"]
    try:
        await run(trial, stdin=TRIAL, env=environment(layout), timeout_s=LIMIT_S)
        await run(closing, stdin=WITHOUT_IPV6, timeout_s=LIMIT_S)
    except CommandError as error:
        return next(iter(reversed(error.output.strip().splitlines())), error.message)
    return ""
