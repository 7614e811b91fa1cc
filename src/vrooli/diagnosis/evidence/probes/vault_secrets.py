"""Log in to Vault like the Vault Secrets Operator and read each secret.

Only the keys of a secret are kept. The token is revoked at the end.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import httpx

from vrooli.diagnosis.evidence.collection.access import FORWARD
from vrooli.diagnosis.evidence.components.vault import vault_service
from vrooli.diagnosis.evidence.model import Answer, Evidence
from vrooli.diagnosis.evidence.probes.vault_health import is_read, running, unread, vault_client
from vrooli.kube import Kube, gather_limited
from vrooli.kube.objects import Body, Ref, dig, mapping, ref_of, text
from vrooli.responses import read_json

NAME = "vault-secrets"
# The names of the responses: the login of a VaultAuth, the read of a VaultStaticSecret.
LOGIN, READ = "vault-login", "vault-read"
# The API server's minimum, seconds.
TOKEN_S = 600
TOKEN_HEADER = "X-Vault-Token"  # noqa: S105 - a header's name
# The namespace of a request (Vault Enterprise and HCP).
NAMESPACE_HEADER = "X-Vault-Namespace"


async def run(kube: Kube, evidence: Evidence) -> Sequence[Answer]:
    """The responses for each login with a service account to a Vault in this cluster."""
    auths = [
        body for body in evidence.all("VaultAuth") if text(body, "spec", "method") == "kubernetes"
    ]
    answers = await gather_limited(partial(_check_login, kube, evidence), auths)
    return [answer for answers in answers for answer in answers]


def data_path(secret: Body) -> str:
    """The path of a VaultStaticSecret's values in policies."""
    middle = "data/" if text(secret, "spec", "type") == "kv-v2" else ""
    return f"{text(secret, 'spec', 'mount')}/{middle}{text(secret, 'spec', 'path')}"


async def _check_login(kube: Kube, evidence: Evidence, auth: Body) -> list[Answer]:
    ref, spec = ref_of(auth), mapping(auth, "spec")
    named = Ref("VaultConnection", text(spec, "vaultConnectionRef"), ref.namespace)
    connection = evidence.get(named) or {}
    service = vault_service(connection)
    pod = running(evidence, service) if service is not None else None
    account = text(spec, "kubernetes", "serviceAccount")
    if service is None or pod is None:
        return []
    if not evidence.may(FORWARD, service.namespace):
        return []
    audiences = [str(item) for item in dig(spec, "kubernetes", "audiences") or ()]
    jwt = await kube.service_account_token(ref.namespace, account, TOKEN_S, audiences)
    try:
        async with vault_client(kube, evidence, connection, pod) as vault:
            return await _login_and_read(vault, evidence, auth, jwt)
    except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
        return [Answer(LOGIN, ref, f"{type(error).__name__}: {error}", ok=False)]


async def _login_and_read(
    vault: httpx.AsyncClient, evidence: Evidence, auth: Body, jwt: str
) -> list[Answer]:
    ref, path = ref_of(auth), f"auth/{text(auth, 'spec', 'mount')}/login"
    role = text(auth, "spec", "kubernetes", "role")
    vault.headers.update(_namespace(auth))
    answer = await vault.post(path, json={"role": role, "jwt": jwt})
    if not is_read(answer):
        return [Answer(LOGIN, ref, unread(answer), ok=False)]
    reply: dict[str, Any] = {"status": answer.status_code, "errors": _errors(answer)}
    if answer.status_code == httpx.codes.FORBIDDEN:
        # A mount that does not exist has the same response; an auth method requires a role.
        empty = await vault.post(path, json={"role": "", "jwt": jwt})
        reply["mounted"] = empty.status_code != httpx.codes.FORBIDDEN
    answers = [Answer(LOGIN, ref, json.dumps(reply))]
    token = dig(_body(answer), "auth", "client_token")
    if isinstance(token, str):
        vault.headers[TOKEN_HEADER] = token
        secrets = [
            secret
            for secret in evidence.all("VaultStaticSecret", ref.namespace)
            if text(secret, "spec", "vaultAuthRef") == ref.name
        ]
        try:
            answers += await gather_limited(partial(_read, vault), secrets)
        finally:
            await vault.post("auth/token/revoke-self")
    return answers


async def _read(vault: httpx.AsyncClient, secret: Body) -> Answer:
    """The response to the read of a secret; a failure is of this secret and not of the login."""
    ref = ref_of(secret)
    try:
        return Answer(READ, ref, json.dumps(await _fetch_reply(vault, secret)))
    except (httpx.InvalidURL, httpx.LocalProtocolError, ValueError) as error:
        why = "Vault was not asked for it, since its mount, path or namespace is not valid"
        return Answer(READ, ref, f"{why}: {error}", ok=False)
    except (httpx.HTTPError, OSError) as error:
        return Answer(READ, ref, f"{type(error).__name__}: {error}", ok=False)


async def _fetch_reply(vault: httpx.AsyncClient, secret: Body) -> dict[str, Any]:
    path, headers = data_path(secret), _namespace(secret)
    answer = await vault.get(path, headers=headers)
    body = _body(answer)
    reply: dict[str, Any] = {"status": answer.status_code, "errors": _errors(answer)}
    inner = mapping(body, "data")
    if answer.status_code == httpx.codes.OK:
        reply["keys"] = sorted(mapping(inner, "data") or inner)
    elif answer.status_code == httpx.codes.NOT_FOUND:
        reply["version"] = dig(inner, "metadata", "version") or 0
    elif answer.status_code == httpx.codes.FORBIDDEN:
        legacy_path = f"{text(secret, 'spec', 'mount')}/{text(secret, 'spec', 'path')}"
        may = await vault.post(
            "sys/capabilities-self", json={"paths": [legacy_path]}, headers=headers
        )
        reply["bare"] = "read" in (dig(_body(may), "data", legacy_path) or [])
    return reply


def _namespace(body: Body) -> dict[str, str]:
    """The header of requests for an object; a secret without a namespace uses its login's."""
    namespace = text(body, "spec", "namespace")
    return {NAMESPACE_HEADER: namespace} if namespace else {}


def _body(answer: httpx.Response) -> Mapping[str, Any]:
    try:
        parsed = read_json(answer)
    except ValueError:
        return {}
    return parsed if isinstance(parsed, Mapping) else {}


def _errors(answer: httpx.Response) -> list[str]:
    errors = _body(answer).get("errors")
    return [str(item) for item in errors] if isinstance(errors, list) else []
