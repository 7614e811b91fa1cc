"""Build the error for an API server that cannot be reached. No I/O here."""

from __future__ import annotations

import httpx
import kr8s

from vrooli.errors import PrerequisiteError
from vrooli.kube.objects import MALFORMED_ERRORS

# The possible errors of a first request.
FAILURES = (
    httpx.HTTPError,
    httpx.InvalidURL,
    kr8s.ServerError,
    kr8s.APITimeoutError,
    OSError,
    *MALFORMED_ERRORS,
)
_UNTRUSTED = "CERTIFICATE_VERIFY_FAILED"


def build_error(server: str, error: Exception, limit_s: float) -> PrerequisiteError:
    """The error that a person reads about.

    Args:
        server: The address of the API server.
        error: The error of the request.
        limit_s: The timeout, seconds.
    """
    if isinstance(error, (TimeoutError, kr8s.APITimeoutError, httpx.TimeoutException)):
        return PrerequisiteError(
            f"The Kubernetes API at {server} gives no answer within {limit_s:.0f} s.",
            "See whether the cluster runs, and whether it is reached from here: a network, a "
            "firewall, a proxy.",
        )
    if isinstance(error, kr8s.ServerError):
        return _refused(server, error)
    if _UNTRUSTED in str(error):
        return PrerequisiteError(
            f"The certificate of the Kubernetes API at {server} can't be trusted: {error}",
            "Get the cluster's kubeconfig anew: its certificate authority is another one.",
        )
    if isinstance(error, MALFORMED_ERRORS):
        return PrerequisiteError(
            f"What answers at {server} isn't a Kubernetes API ({type(error).__name__}: {error}).",
            "See the address in the kubeconfig, and whether a proxy answers in its place.",
        )
    return PrerequisiteError(
        f"No Kubernetes API answers at {server}: {str(error) or type(error).__name__}",
        "Start the cluster, or name another with --cluster.",
    )


def _refused(server: str, error: kr8s.ServerError) -> PrerequisiteError:
    status = error.response.status_code if error.response is not None else 0
    if status in (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN):
        return PrerequisiteError(
            f"The Kubernetes API at {server} doesn't let this user in ({status}: {error}).",
            "Its token or certificate may have expired: log in again, or name another context.",
        )
    return PrerequisiteError(
        f"The Kubernetes API at {server} has a fault of its own: {error}",
        "Try again in a while, and see the API server's log.",
    )
