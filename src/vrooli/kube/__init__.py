"""The Kubernetes API: a typed client with timeouts and the errors of this product.

The only user of kr8s, which brings authentication, sessions, exec and port-forwarding.
"""

from vrooli.kube.client import Kube
from vrooli.kube.concurrency import each
from vrooli.kube.patience import Patience, Priority
from vrooli.kube.reads import Manifest
from vrooli.kube.rest import ApiError, NoAnswerError

__all__ = ["ApiError", "Kube", "Manifest", "NoAnswerError", "Patience", "Priority", "each"]
