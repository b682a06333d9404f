"""The client of /manage: plain HTTP to a laptop's server, signed for IAM to a deployment."""

import gzip
import json
import os
import re
from dataclasses import dataclass
from typing import Any, NoReturn
from urllib.error import HTTPError, URLError
from urllib.parse import urlencode, urlsplit
from urllib.request import Request, urlopen

import typer

LOCAL = "http://127.0.0.1:8787"
SERVICE = "execute-api"
REGION = re.compile(r"\.execute-api\.([a-z0-9-]+)\.")

MESSAGE_ID = re.compile(r"[a-z2-7]{20}-[a-z0-9_-]+-\d+(\.\d+)?|[a-z2-7]{16}\.\d+")
"""A message's id, or the audit id of a decision on it; no customer is called so."""


@dataclass(frozen=True, slots=True)
class Manage:
    """Errors end the command with what the deployment said of them, and exit code 1."""

    to: str

    def get(self, name: str, **query: Any) -> dict[str, Any]:
        told = urlencode({key: value for key, value in query.items() if value})
        return self._ask("GET", f"{name}?{told}" if told else name, b"")

    def post(self, name: str, **fields: str) -> dict[str, Any]:
        document = {key: value for key, value in fields.items() if value}
        return self._ask("POST", name, json.dumps(document).encode())

    def explain(self, what: str, customer: str) -> dict[str, Any]:
        """Of a message where it looks like the id of one, else of a customer."""
        if customer or MESSAGE_ID.fullmatch(what):
            return self.post("explain", message=what, customer=customer)
        return self.post("explain", customer=what)

    def _ask(self, method: str, name: str, body: bytes) -> dict[str, Any]:
        url = f"{self.to.rstrip('/')}/manage/{name}"
        if not url.startswith(("http://", "https://")):
            raise typer.BadParameter("--to is a URL that begins with http:// or https://")
        headers = {"content-type": "application/json"}
        headers = _signed(method, url, body, headers) if url.startswith("https://") else headers
        headers |= {"accept-encoding": "gzip"}  # not signed: whoever is in between may change it
        try:
            request = Request(url, body or None, headers, method=method)  # noqa: S310  checked above
            with urlopen(request, timeout=60) as answer:  # noqa: S310  checked above
                return _document(answer.read(), answer.headers.get("content-encoding", ""))
        except HTTPError as error:
            _fail(_said(error))
        except URLError as error:
            _fail(f"{self.to} cannot be reached: {error.reason}. Is `make serve` running?")


def _signed(method: str, url: str, body: bytes, headers: dict[str, str]) -> dict[str, str]:
    """AWS Signature Version 4, with the caller's own credentials and, where the URL does not tell it, region."""
    from botocore.auth import SigV4Auth  # noqa: PLC0415  slow to import
    from botocore.awsrequest import AWSRequest  # noqa: PLC0415
    from botocore.exceptions import BotoCoreError  # noqa: PLC0415
    from botocore.session import get_session  # noqa: PLC0415

    session = get_session()
    told = REGION.search(urlsplit(url).netloc)
    try:
        own = os.environ.get("AWS_REGION") or session.get_config_variable("region")
        region = told[1] if told else own
        credentials = session.get_credentials()
    except BotoCoreError as error:
        _fail(f"AWS credentials cannot be read: {error}")
    if credentials is None:
        _fail("no AWS credentials: sign in as for the AWS CLI, or set AWS_PROFILE")
    if not region:
        _fail("set AWS_REGION: the URL does not tell in which region the deployment is")
    request = AWSRequest(method, url, headers, body)
    SigV4Auth(credentials.get_frozen_credentials(), SERVICE, region).add_auth(request)
    return dict(request.headers.items())


def _document(body: bytes, encoding: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(gzip.decompress(body) if encoding == "gzip" else body)
    return document


def _said(error: HTTPError) -> str:
    """What is wrong, one problem a line; API Gateway itself only has a message."""
    try:
        told = json.loads(error.read())
    except ValueError:
        told = {}
    if told.get("problems"):
        return "\n".join(told["problems"])
    return f"{error.code}: {told.get('detail') or told.get('message') or told.get('Message') or error.reason}"


def _fail(why: str) -> NoReturn:
    typer.echo(why, err=True)
    raise typer.Exit(1) from None
