"""Calls of hvac, Vault's client library, which is neither typed nor asynchronous."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import hvac
import requests
import urllib3
from hvac import exceptions

from vrooli.errors import PrerequisiteError, VrooliError
from vrooli.vault import transport
from vrooli.vault.errors import VaultDeniedError, VaultSealedError

Answer = TypeVar("Answer")

# Timeout of each part of a response, and of all that a call waits for, seconds.
REQUEST_S, TOTAL_S = 10, 60.0
RIGHTS_ADVICE = "Log in with more permissions, or ask the owner of the Vault to do it."


class Calls:
    """The connections to one Vault, and the errors of calls.

    Args:
        address: The URL of the Vault.
        token: The token of all requests.
        verify: Whether its certificate must be valid for the address; a path is the file of the
            authorities that may have signed it.
        namespace: The namespace in Vault (Enterprise) of all requests; empty: none.
        server_name: The host that the certificate must be for; empty: that of the address.
    """

    def __init__(
        self,
        address: str,
        token: str | None = None,
        *,
        verify: bool | str = True,
        namespace: str = "",
        server_name: str = "",
    ) -> None:
        self.address, self.verify = address, verify
        if not verify:
            urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)
        session = transport.new_session(verify, server_name)
        options: dict[str, Any] = {
            "url": address,
            "timeout": REQUEST_S,
            "verify": verify,
            "session": session,
        }
        self._hvac: Any = hvac.Client(token=token, namespace=namespace or None, **options)
        # Vault reports its health outside of namespaces only.
        self._root: Any = hvac.Client(**options) if namespace else self._hvac

    def close(self) -> None:
        """Close the connections."""
        self._hvac.adapter.close()
        self._root.adapter.close()

    async def _call_or_none(
        self, doing: str, call: Callable[[], Answer], *, requires: str = ""
    ) -> Answer | None:
        try:
            return await self._call(doing, call, requires=requires)
        except VrooliError as error:
            if isinstance(error.__cause__, exceptions.InvalidPath):
                return None
            raise

    async def _call(self, doing: str, call: Callable[[], Answer], *, requires: str = "") -> Answer:
        """Call Vault.

        Args:
            doing: What the call does, as in "Vault refused to read a secret".
            call: The call.
            requires: What a policy of the token must have, if it is one path.
        """
        try:
            return await transport.in_time(call, TOTAL_S)
        except exceptions.VaultDown as error:
            raise VaultSealedError(
                f"Vault at {self.address} is sealed or a standby: it could not {doing}.",
                "Unseal it, then run the command again.",
            ) from error
        except exceptions.Forbidden as error:
            advice = (
                f"The token's policies lack {requires}. Use a token whose policies allow it, or "
                "ask the owner of the Vault to do it."
            )
            raise VaultDeniedError(
                f"Vault at {self.address} refused to {doing}.",
                advice if requires else RIGHTS_ADVICE,
            ) from error
        except exceptions.VaultError as error:
            # Vault's messages contain paths and rules, but not the values of the request.
            raise VrooliError(f"Vault at {self.address} could not {doing}: {error}") from error
        except transport.RefusedResponseError as error:
            raise VrooliError(
                f"Vault at {self.address} answered a request to {doing} with {error}.",
                "Check whether this is the address of a Vault, and what is in between, such as a "
                "proxy.",
            ) from error
        except (requests.RequestException, TimeoutError) as error:
            raise PrerequisiteError(
                f"Vault at {self.address} did not answer a request to {doing}.",
                "Check whether its pod runs: `kubectl get pods -n vault`.",
            ) from error
