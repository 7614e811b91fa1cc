"""Vault's certificate, verified as its Secrets Operator verifies it: host name and CA."""

from __future__ import annotations

import asyncio
import ssl
import time
from typing import Any

from vrooli import shell
from vrooli.checks.interface import Site
from vrooli.checks.vault.request import VaultRequest, is_ours
from vrooli.errors import PrerequisiteError
from vrooli.vault import certificates, tls
from vrooli.vault.address import VaultAddress


async def verify(site: Site, request: VaultRequest, address: VaultAddress, port: int) -> str:
    """Verify the certificate through a local port that is forwarded to Vault.

    The operator's own CAs, which apply without a Secret, cannot be read from here.

    Returns:
        A warning if the certificate ends soon.

    Raises:
        PrerequisiteError: The operator will not accept the certificate.
        ApiError: This kubeconfig may not read the CA.
    """
    pem = await authority(site, request, address)
    if not pem:
        return ""
    context = _context(pem, request)
    try:
        _, writer = await asyncio.open_connection(
            "127.0.0.1", port, ssl=context, server_hostname=address.host
        )
    except ssl.SSLCertVerificationError as error:
        raise PrerequisiteError(
            f"Vault's certificate for {address.host} is not valid with the CA in the Secret "
            f"{request.ca_secret}: {error.verify_message}.",
            f"{tls.SETUP} It renews both." if is_ours(request.address) else _REPLACE,
        ) from error
    except (OSError, ssl.SSLError) as error:
        raise PrerequisiteError(
            f"Vault at {request.address} accepts no TLS connection: {error}.",
            "Check the port of the address: it must be the one of https.",
        ) from error
    certificate = writer.get_extra_info("peercert")
    writer.close()
    return _warning(certificate, request)


async def authority(site: Site, request: VaultRequest, address: VaultAddress) -> str:
    """The CA that the operator verifies the certificate with, PEM; empty if it is not in a Secret.

    Raises:
        PrerequisiteError: The Secret does not exist, or has no CA.
        ApiError: This kubeconfig may not read the CA.
    """
    if address.scheme != "https" or request.skips_verification or not request.ca_secret:
        return ""
    return await _authority(site, request)


_REPLACE = "Put the CA that signed it into the key ca.crt of this Secret (vso.caCertSecretName)."


async def _authority(site: Site, request: VaultRequest) -> str:
    """The CA that the operator will use; a deploy copies that of the development Vault."""
    secret = await site.kube.get("v1", "Secret", request.ca_secret, site.namespace)
    if secret is None and is_ours(request.address) and await tls.is_installed(site.kube):
        return await tls.fetch_authority(site.kube)
    pem = tls.authority_in(secret).decode(errors="replace")
    if not pem:
        name = f"{site.namespace}/{request.ca_secret}"
        raise PrerequisiteError(
            f"The Secret {name} with the CA of Vault's certificate (key ca.crt) does not exist."
            if secret is None
            else f"The Secret {name} has no key ca.crt with the CA of Vault's certificate.",
            "Create it: `kubectl create secret generic "
            f"{shell.name(request.ca_secret)} -n {shell.label(site.namespace)} "
            "--from-file=ca.crt`.",
        )
    return pem


def _context(authority: str, request: VaultRequest) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        context.load_verify_locations(cadata=authority)
    except (ssl.SSLError, ValueError) as error:
        raise PrerequisiteError(
            f"The key ca.crt of the Secret {request.ca_secret} contains no certificate.", _REPLACE
        ) from error
    return context


def _warning(certificate: dict[str, Any], request: VaultRequest) -> str:
    left_s = ssl.cert_time_to_seconds(certificate["notAfter"]) - time.time()
    if left_s > certificates.REPORTED_BEFORE.total_seconds():
        return ""
    remedy = tls.SETUP if is_ours(request.address) else "Renew it."
    return f"Vault's certificate ends at {certificate['notAfter']}. {remedy}"
