"""The client of a laptop's dead letters: the routes of `cairn serve`."""

import json
from dataclasses import dataclass
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlencode
from urllib.request import Request, urlopen

from cairn.domain.shared.errors import DeadLettersError
from cli.manage_client import actor_header

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class LocalServer:
    """Implements DeadLetterTool through the routes of `cairn serve`."""

    url: str

    def summary(self) -> list[Json]:
        found: list[Json] = self._ask("/_dlq")["queues"]
        return found

    def show(self, queue: str, limit: int, *, reveal: bool) -> Json:
        return self._ask(f"/_dlq/{queue}?" + urlencode({"limit": limit, "reveal": int(reveal)}))

    def redrive(self, queue: str, reason: str, limit: int | None, id_: str = "") -> Json:
        return self._ask(f"/_dlq/{queue}/redrive", {"reason": reason, "limit": limit, "id": id_})

    def _ask(self, path: str, document: Json | None = None) -> Json:
        if not self.url.startswith(("http://", "https://")):
            raise DeadLettersError("--to is a URL that begins with http:// or https://")
        body = None if document is None else json.dumps(document).encode()
        try:
            with urlopen(Request(self.url.rstrip("/") + path, body, actor_header()), timeout=60) as answer:  # noqa: S310  checked above
                found: Json = json.load(answer)
                return found
        except HTTPError as error:
            raise DeadLettersError(_detail(error)) from None
        except URLError as error:
            reason = f"{self.url} cannot be reached: {error.reason}"
            raise DeadLettersError(f"{reason}. Is `make serve` running? A deployment is named by --stack") from None


def _detail(error: HTTPError) -> str:
    try:
        return str(json.load(error)["detail"])
    except (ValueError, KeyError, TypeError):
        return f"{error.url} answered {error.code}: only `cairn serve` has this route. A deployment is named by --stack"
