"""The links of messages in the local deployment: `GET /_mail` lists them, and they open."""

import json
import re
from collections.abc import Callable
from typing import Any

from tests.conftest import OF_MEMBERS


def test_the_links_of_an_email_open(story: Any, api: Any) -> None:
    story.signs_up()
    story.passes("3h")

    mails = [json.loads(line) for line in api.client.get("/_mail").get_data(as_text=True).splitlines()]
    (mail,) = [one for one in mails if not one["to"].endswith(OF_MEMBERS)]
    url = mail["headers"]["List-Unsubscribe"].strip("<>")
    page = api.client.get(url.removeprefix("https://localhost"))

    assert (mail["to"], mail["subject"]) == ("mia.1@example.com", "Three tips")
    assert url in mail["text"]
    assert page.status_code == 200
    assert api.client.head(url.removeprefix("https://localhost")).get_data() == b""
    assert api.client.put(url.removeprefix("https://localhost")).status_code == 405


def test_mails_to_members_are_listed_without_headers(story: Any, api: Any) -> None:
    """A customer's mail has links for its headers; a member's has one in its text."""
    story.signs_up()
    story.passes("3h")

    mails = [json.loads(line) for line in api.client.get("/_mail").get_data(as_text=True).splitlines()]

    (mail,) = [one for one in mails if one["to"].endswith(OF_MEMBERS)]
    (path,) = re.findall(r"https://localhost(/tasks/\S+)", mail["text"])
    assert mail["headers"] == {}
    assert api.client.get(path).status_code == 200


def test_links_have_their_own_throttle(story: Any, api_of: Callable[..., Any]) -> None:
    names = []

    def limiter(name: str) -> float:
        names.append(name)
        return 2.5

    answer = api_of(story.deployment, limiter).client.get("/unsubscribe/x.y")

    assert names == ["preferences"]
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "3")
