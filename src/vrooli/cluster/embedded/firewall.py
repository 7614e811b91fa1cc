"""Whether this host can enforce network policies: tried out, where it leaves nothing.

kube-router writes iptables rules and IP sets. Each of them takes a part of the kernel or of the
distribution that an ordinary host has, and a container or a small kernel may lack.
"""

from __future__ import annotations

from vrooli.cluster.embedded.layout import Layout
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
TRIAL_S = 20.0


def environment(layout: Layout) -> dict[str, str]:
    """What iptables is told: its old variant would lock a file of the host."""
    return {"XTABLES_LOCKFILE": str(layout.run / "xtables.lock")}


async def lack(layout: Layout) -> str:
    """What this host lacks to enforce network policies, in words; empty when it lacks nothing."""
    try:
        # The sets and rules end with the network namespace, and that with its only process.
        argv = ["unshare", "--net", "sh", "-e"]
        await run(argv, stdin=TRIAL, env=environment(layout), timeout_s=TRIAL_S)
    except CommandError as error:
        return next(iter(reversed(error.output.strip().splitlines())), error.message)
    return ""
