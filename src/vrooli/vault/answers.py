"""Answers that do not have the form of Vault's: what answers may be a proxy, or another program."""

from __future__ import annotations

import functools
from collections.abc import Callable, Coroutine
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar

from vrooli.errors import VrooliError
from vrooli.kube.objects import MALFORMED_ERRORS

Given = ParamSpec("Given")
Result = TypeVar("Result")
Client = TypeVar("Client", bound="_Addressed")


class _Addressed(Protocol):
    """A client of one server."""

    address: str


def checked(
    method: Callable[Concatenate[Client, Given], Coroutine[Any, Any, Result]],
) -> Callable[Concatenate[Client, Given], Coroutine[Any, Any, Result]]:
    """Let a method of a client that reads fields of answers raise `VrooliError` without them."""

    @functools.wraps(method)
    async def call(client: Client, /, *words: Given.args, **options: Given.kwargs) -> Result:
        try:
            return await method(client, *words, **options)
        except MALFORMED_ERRORS as error:
            raise VrooliError(
                f"Vault at {client.address} answered in another form than Vault does: "
                f"{type(error).__name__}.",
                "Check whether this is the address of a Vault, and what is in between, such as a "
                "proxy.",
            ) from error

    return call
