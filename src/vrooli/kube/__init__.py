"""The Kubernetes API, as the rest of the product sees it: typed, with our errors and limits.

The only user of kr8s, which brings authentication, sessions, exec and port-forwarding.
"""

from vrooli.kube.client import Kube
from vrooli.kube.concurrency import each
from vrooli.kube.patience import Patience, Priority
from vrooli.kube.reads import Manifest
from vrooli.kube.rest import ApiError, NoAnswerError

__all__ = ["ApiError", "Kube", "Manifest", "NoAnswerError", "Patience", "Priority", "each"]
