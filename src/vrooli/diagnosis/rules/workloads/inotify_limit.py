"""A program fails because the node's limit of inotify instances or watches is reached."""

from __future__ import annotations

import re
from collections.abc import Iterator

from vrooli.diagnosis.evidence.model import Evidence
from vrooli.diagnosis.evidence.workloads import last_events, log_of, states
from vrooli.diagnosis.interface import Rule, Symptom
from vrooli.kube.objects import Body, ref_of, text
from vrooli.kube.status import ContainerStatus, Termination

# The errors of the kernel (EMFILE for instances, ENOSPC for watches) as programs report them:
# libraries of Go, Node.js, Python and .NET. "too many open files" alone may also be the limit of
# open files.
WORDS = re.compile(
    r"(?i)(?:inotify|fsnotify|file ?watch|\bwatche).*(?:too many open files|no space left|EMFILE"
    r"|ENOSPC|limit)"
    r"|(?:EMFILE|ENOSPC|too many open files|no space left on device|limit).*"
    r"(?:inotify|fsnotify|file ?watch|\bwatche)"
)
OPEN_FILES = re.compile(r"(?i)too many open files|\bEMFILE\b")
INSTANCES, WATCHES = "fs.inotify.max_user_instances", "fs.inotify.max_user_watches"
SUFFICIENT = f"{INSTANCES}=8192 {WATCHES}=524288"


def find(evidence: Evidence) -> Iterator[Symptom]:
    """Yield each workload with a container that fails at the limit."""
    for owner, pod, item in states(evidence):
        message = _error_message(evidence, pod, item)
        if item.is_ready or not message:
            continue
        node = text(pod, "spec", "nodeName")
        is_certain = WORDS.search(message)
        other = "" if is_certain else ", or the limit of open files of the container,"
        yield Symptom(
            resource=owner,
            message=f"container {item.name} fails at a limit of its node {node}: {message}",
            remediation=f"The limits of inotify ({INSTANCES}, {WATCHES}){other} are too low for "
            f"the programs on the node. Raise them on the node: `sysctl -w {SUFFICIENT}`, and in "
            "a file in /etc/sysctl.d.",
            command=f"sysctl {INSTANCES} {WATCHES}",
            evidence=(
                *last_events(evidence, ref_of(pod), "Failed", "BackOff"),
                *log_of(evidence, pod, item.name),
            ),
        )


def _error_message(evidence: Evidence, pod: Body, item: ContainerStatus) -> str:
    """The error message, from the container's state or the end of its log."""
    ends = (item.terminated, item.last_terminated)
    messages = [item.waiting_message, *(end.message for end in ends if end is not None)]
    ended = item.latest_end or Termination()
    if ended.exit_code:
        log = log_of(evidence, pod, item.name)
        messages += [line.partition(": ")[2] for line in reversed(log)]
    for pattern in (WORDS, OPEN_FILES):
        for message in messages:
            if pattern.search(message):
                return message.strip()
    return ""


RULE = Rule(
    rule_id="inotify-limit",
    title="`too many open files`: the inotify limit of a node is reached",
    find=find,
    link="https://kind.sigs.k8s.io/docs/user/known-issues/#pod-errors-due-to-too-many-open-files",
)
