"""The client of /manage: plain HTTP to a laptop's server, signed for IAM to a deployment."""

import gzip
import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from getpass import getuser
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlencode, urlsplit
from urllib.request import Request, urlopen

import typer

from cairn.domain.shared.errors import CairnError

SERVICE = "execute-api"
REGION = re.compile(r"\.execute-api\.([a-z0-9-]+)\.")

MESSAGE_ID = re.compile(r"[a-z2-7]{20}-[a-z0-9_-]+-\d+([rf]\d+)*(\.\d+)?|[a-z2-7]{16}\.\d+")
"""A message's id, or the audit id of a decision on it; no customer has such an id."""


class ManageError(CairnError):
    """A deployment refused a request, or could not be asked. It ends a command with exit code 1, as all our errors."""


@dataclass(frozen=True, slots=True)
class Manage:
    """Raises ManageError with the deployment's message where it did not do what was asked."""

    to: str
    headers: Mapping[str, str] = field(default_factory=dict)
    """Sent with each request, beside those that say who asks."""

    def get(self, name: str, **query: Any) -> dict[str, Any]:
        encoded = urlencode({key: value for key, value in query.items() if value})
        return self._ask("GET", f"{name}?{encoded}" if encoded else name, b"")

    def every(self, name: str, of: str, **query: Any) -> list[dict[str, Any]]:
        """All entries of a list that comes in pages, each with the `after` of the next one."""
        found: list[dict[str, Any]] = []
        page: dict[str, Any] = {"after": ""}
        while page["after"] is not None:
            page = self.get(name, after=page["after"], **query)
            found += page[of]
        return found

    def post(self, name: str, **fields: Any) -> dict[str, Any]:
        """Fields that are empty are left out."""
        document = {key: value for key, value in fields.items() if value}
        return self._ask("POST", name, json.dumps(document).encode())

    def local(self, route: str) -> dict[str, Any]:
        """Post to a route that a laptop alone has."""
        return self._ask_at(f"{self.to.rstrip('/')}/{route}", "POST", b"{}")

    def explain(self, what: str, customer: str, why: str = "") -> dict[str, Any]:
        """Explain a message if `what` looks like a message's id, else a customer."""
        if customer or MESSAGE_ID.fullmatch(what):
            return self.post("explain", message=what, customer=customer, why=why)
        return self.post("explain", customer=what, why=why)

    def _ask(self, method: str, name: str, body: bytes) -> dict[str, Any]:
        return self._ask_at(f"{self.to.rstrip('/')}/manage/{name}", method, body)

    def _ask_at(self, url: str, method: str, body: bytes) -> dict[str, Any]:
        if not url.startswith(("http://", "https://")):
            raise typer.BadParameter("--to is a URL that begins with http:// or https://")
        headers = {"content-type": "application/json", **self.headers}
        headers = _signed(method, url, body, headers) if url.startswith("https://") else headers | actor_header()
        headers |= {"accept-encoding": "gzip"}  # not signed: a proxy may change it
        try:
            request = Request(url, body or None, headers, method=method)  # noqa: S310  checked above
            with urlopen(request, timeout=60) as answer:  # noqa: S310  checked above
                return _document(answer.read(), answer.headers.get("content-encoding", ""))
        except HTTPError as error:
            raise ManageError(_error_text(error)) from error
        except URLError as error:
            reason = f"{self.to} cannot be reached: {error.reason}. Is `make serve` running?"
            raise ManageError(reason) from error


def actor_header() -> dict[str, str]:
    """The caller's name, for the audit of a laptop's server: the account that has started the command."""
    try:
        return {"x-cairn-actor": getuser()}
    except (OSError, KeyError) as error:
        raise ManageError("nobody is signed in to this machine: set LOGNAME to your name for the audit") from error


def _signed(method: str, url: str, body: bytes, headers: dict[str, str]) -> dict[str, str]:
    """AWS Signature Version 4, with the caller's credentials; the region is the URL's, else the caller's."""
    from botocore.auth import SigV4Auth  # noqa: PLC0415  slow to import
    from botocore.awsrequest import AWSRequest  # noqa: PLC0415
    from botocore.exceptions import BotoCoreError  # noqa: PLC0415
    from botocore.session import get_session  # noqa: PLC0415

    session = get_session()
    named = REGION.search(urlsplit(url).netloc)
    try:
        own = os.environ.get("AWS_REGION") or session.get_config_variable("region")
        region = named[1] if named else own
        credentials = session.get_credentials()
    except BotoCoreError as error:
        raise ManageError(f"AWS credentials cannot be read: {error}") from error
    if credentials is None:
        raise ManageError("no AWS credentials: sign in as for the AWS CLI, or set AWS_PROFILE")
    if not region:
        raise ManageError("set AWS_REGION: the URL does not tell in which region the deployment is")
    request = AWSRequest(method, url, headers, body)
    SigV4Auth(credentials.get_frozen_credentials(), SERVICE, region).add_auth(request)
    return dict(request.headers.items())


def _document(body: bytes, encoding: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(gzip.decompress(body) if encoding == "gzip" else body)
    return document


def _error_text(error: HTTPError) -> str:
    """The problems, one a line; API Gateway's own errors have a message only."""
    try:
        document = json.loads(error.read())
    except ValueError:
        document = {}
    if document.get("problems"):
        return "\n".join(document["problems"])
    detail = document.get("detail") or document.get("message") or document.get("Message")
    return f"{error.code}: {detail or error.reason}"
