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
            f"The Kubernetes API at {server} did not respond within {limit_s:.0f} s.",
            "Check that the cluster is running and reachable from this machine: network, firewall, "
            "proxy.",
        )
    if isinstance(error, kr8s.ServerError):
        return _refused(server, error)
    if _UNTRUSTED in str(error):
        return PrerequisiteError(
            f"The certificate of the Kubernetes API at {server} is not trusted: {error}",
            "Download the cluster's kubeconfig again: its certificate authority has changed.",
        )
    if isinstance(error, MALFORMED_ERRORS):
        return PrerequisiteError(
            f"The server at {server} is not a Kubernetes API ({type(error).__name__}: {error}).",
            "Check the address in the kubeconfig, and whether a proxy responds instead.",
        )
    return PrerequisiteError(
        f"The Kubernetes API at {server} is unreachable: {str(error) or type(error).__name__}",
        "Start the cluster, or select a different one with --cluster.",
    )


def _refused(server: str, error: kr8s.ServerError) -> PrerequisiteError:
    status = error.response.status_code if error.response is not None else 0
    if status in (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN):
        return PrerequisiteError(
            f"The Kubernetes API at {server} denies access to this user ({status}: {error}).",
            "The token or certificate may have expired: log in again, or select a different "
            "context.",
        )
    return PrerequisiteError(
        f"The Kubernetes API at {server} reports an internal error: {error}",
        "Retry later, and check the API server's log.",
    )
