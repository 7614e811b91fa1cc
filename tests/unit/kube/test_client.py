"""What is sent to the API server, and what is made of its answers."""

from __future__ import annotations

import json

import httpx
import kr8s
import pytest
import yaml

from vrooli.errors import PrerequisiteError
from vrooli.kube import api_errors, client, connection_errors


def test_an_applied_object_is_yaml_whatever_characters_it_holds() -> None:
    manifest = {"data": {"text": 'line\nnext \x85\u2028 \x7f \ufeff \U0001f600 "quoted" \\'}}
    assert yaml.safe_load(client._as_yaml(manifest)) == manifest


@pytest.mark.parametrize("body", [b"", b"<html><p>Log in</html>", b"[1]", b"\xff\x00{"])
def test_an_answer_that_is_no_object_is_an_error_that_says_so(body: bytes) -> None:
    with pytest.raises(PrerequisiteError, match="can't be read"):
        api_errors.parse_response("list Pod", httpx.Response(200, content=body))


def test_of_a_page_in_the_place_of_a_refusal_the_words_are_told() -> None:
    page = b"<html><style>p {color: red}</style><h1>Bad\nGateway</h1></html>"
    assert (
        api_errors.error_message(httpx.Response(502, content=page)) == "502 Bad Gateway Bad Gateway"
    )


def _build_error(status: int) -> kr8s.ServerError:
    return kr8s.ServerError("said", response=httpx.Response(status))


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (TimeoutError(), "did not respond within 10 s"),
        (httpx.ConnectTimeout(""), "did not respond within 10 s"),
        (_build_error(401), r"denies access to this user \(401: said\)"),
        (_build_error(503), "reports an internal error"),
        (httpx.ConnectError("[SSL: CERTIFICATE_VERIFY_FAILED] unknown"), "is not trusted"),
        (httpx.ConnectError("All connection attempts failed"), "is unreachable"),
        (KeyError("gitVersion"), "is not a Kubernetes API"),
    ],
)
def test_why_no_cluster_is_reached_is_told_with_what_to_do(error: Exception, words: str) -> None:
    found = connection_errors.build_error("https://there", error, 10.0)
    with pytest.raises(PrerequisiteError, match=words):
        raise found
    assert "https://there" in found.message
    assert found.advice


@pytest.mark.parametrize(
    ("itself", "place"), [(False, {}), (True, {"namespace": "dev", "name": "dev"})]
)
async def test_a_namespace_itself_is_asked_for_as_rules_in_it_are_read(
    itself: bool, place: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[dict[str, str]] = []

    async def resource(api_version: str, kind: str) -> tuple[str, bool]:
        return "namespaces", False

    async def call(method: str, action: str, **settings: str) -> httpx.Response:
        asked.append(json.loads(settings["content"])["spec"]["resourceAttributes"])
        return httpx.Response(201, json={"status": {"allowed": True}})

    cluster = client.Kube(kr8s.asyncio.Api(kubeconfig={}, bypass_factory=True))
    monkeypatch.setattr(cluster, "_resource", resource)
    monkeypatch.setattr(cluster, "_call", call)
    assert await cluster.may("patch", "v1", "Namespace", "dev", itself=itself)
    assert asked == [{"verb": "patch", "group": "", "resource": "namespaces", **place}]
