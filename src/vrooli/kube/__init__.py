"""The Kubernetes API: requests with our errors and limits, and typed facts about objects.

Here belong the client, getters, events, quantities, network policies, `status` (readiness and its
reasons), `snapshot`, `fetch` and `watcher`. It is the only user of kr8s, which brings
authentication, sessions, exec and port-forwarding. What only one operator's resources mean belongs
to `vrooli.operators`, and sentences that only one command shows belong to that command.
"""

from vrooli.kube.api_errors import ApiError, NoAnswerError
from vrooli.kube.budget import Priority, RequestBudget
from vrooli.kube.client import Kube
from vrooli.kube.concurrency import gather_limited
from vrooli.kube.reads import Manifest

__all__ = [
    "ApiError",
    "Kube",
    "Manifest",
    "NoAnswerError",
    "Priority",
    "RequestBudget",
    "gather_limited",
]
