"""The Vaults that the release's VaultConnections reference. No I/O here."""

from __future__ import annotations

from vrooli.diagnosis.evidence.model import Evidence
from vrooli.kube.objects import Body, Ref, text
from vrooli.vault.address import VaultAddress, parse_address


def vault_service(connection: Body) -> Ref | None:
    """The Service of this cluster in a VaultConnection's address; None if it is not one."""
    address = vault_address(connection)
    return address.service if address is not None else None


def vault_address(connection: Body) -> VaultAddress | None:
    """A VaultConnection's address; None if it is not a URL."""
    return parse_address(text(connection, "spec", "address"))


def vault_services(evidence: Evidence) -> list[Ref]:
    """The Services of this cluster in the release's VaultConnections."""
    services = (vault_service(body) for body in evidence.all("VaultConnection"))
    return list(dict.fromkeys(service for service in services if service is not None))
