"""The links of messages on a laptop: `GET /_mail` lists them, and they open."""

import json
from collections.abc import Callable
from typing import Any


def test_the_links_of_an_email_open(story: Any, door: Any) -> None:
    story.signs_up()
    story.passes("3h")

    (mail,) = [json.loads(line) for line in door.client.get("/_mail").get_data(as_text=True).splitlines()]
    url = mail["headers"]["List-Unsubscribe"].strip("<>")
    page = door.client.get(url.removeprefix("https://localhost"))

    assert (mail["to"], mail["subject"]) == ("mia.1@example.com", "Three tips")
    assert url in mail["text"]
    assert page.status_code == 200
    assert door.client.head(url.removeprefix("https://localhost")).get_data() == b""
    assert door.client.put(url.removeprefix("https://localhost")).status_code == 405


def test_links_are_throttled_by_themselves(story: Any, door_to: Callable[..., Any]) -> None:
    asked = []

    def limiter(name: str) -> float:
        asked.append(name)
        return 2.5

    answer = door_to(story.deployment, limiter).client.get("/unsubscribe/x.y")

    assert asked == ["preferences"]
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "3")
