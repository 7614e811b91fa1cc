"""An S3 server on loopback with TLS and one bucket: moto, which checks signatures."""

from __future__ import annotations

import json
import re
import ssl
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from support.programs.certificates import self_signed
from support.programs.ports import free_port
from support.programs.processes import Running

REGION, BUCKET = "eu-central-1", "vrooli-backups"
_PROGRAM = Path(__file__).with_name("moto_server.py")
_USER = {"UserName": "backups"}
_RIGHTS = {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}
# The scope selects moto's service. The signature is not checked before `create` has ended.
_AUTHORIZATION = "AWS4-HMAC-SHA256 Credential=any/20260101/us-east-1/{service}/aws4_request"


@dataclass
class S3Server:
    """A running S3 server.

    Attributes:
        process: The server.
        certificate: Its certificate, which is its own authority.
        key: The access key of its only user.
        secret: The secret of that key.
    """

    process: Running
    certificate: Path
    key: str = ""
    secret: str = ""

    @property
    def endpoint(self) -> str:
        """The host and the port."""
        return f"localhost:{self.process.port}"

    def written(self) -> set[str]:
        """The paths of the objects that were written, without the bucket."""
        return set(re.findall(rf'"PUT /{BUCKET}/(\S+?)(?:\?\S*)? HTTP', self.process.log))

    def create(self) -> None:
        """Create the bucket and the user, who must sign each request from then on."""
        self._request(f"/{BUCKET}", "s3", method="PUT")
        self._request("/", "iam", fields={"Action": "CreateUser", **_USER})
        answer = self._request("/", "iam", fields={"Action": "CreateAccessKey", **_USER})
        self.key, self.secret = (
            re.findall(f"<{name}>(.*?)</{name}>", answer)[0]
            for name in ("AccessKeyId", "SecretAccessKey")
        )
        policy = json.dumps({"Version": "2012-10-17", "Statement": [_RIGHTS]})
        rights = {"PolicyName": "s3", "PolicyDocument": policy}
        self._request("/", "iam", fields={"Action": "PutUserPolicy", **_USER, **rights})
        self._request("/moto-api/reset-auth", "s3", content="0")

    def _request(
        self,
        path: str,
        service: str,
        *,
        method: str = "POST",
        fields: Mapping[str, str] | None = None,
        content: str | None = None,
    ) -> str:
        headers = {"Authorization": _AUTHORIZATION.format(service=service)}
        answer = httpx.request(
            method,
            f"https://{self.endpoint}{path}",
            headers=headers,
            data=fields,
            content=content,
            verify=ssl.create_default_context(cafile=str(self.certificate)),
            timeout=60.0,
        )
        assert answer.is_success, answer.text
        return answer.text


@contextmanager
def running_s3(folder: Path) -> Iterator[S3Server]:
    """Start a server with an empty bucket, and stop it after the block.

    Args:
        folder: The folder of its certificate and its log.
    """
    certificate, key = folder / "s3.crt", folder / "s3.key"
    self_signed(certificate, key)
    port = free_port()
    argv: list[str | Path] = [sys.executable, _PROGRAM, str(port), certificate, key]
    server = S3Server(Running("s3", argv, port, folder), certificate)
    server.process.start()
    try:
        server.create()
        yield server
    finally:
        server.process.stop()
