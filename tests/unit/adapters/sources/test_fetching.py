"""What a webhook only points to: asked for in one place, with a token that nobody sees, and never lost."""

import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cairn.adapters.sources import fetching, sources
from cairn.adapters.sources.fetching import AT_ONCE, Pointer
from cairn.adapters.sources.signed_text import InvalidSourceError
from cairn.application.events.accept_webhook import AcceptWebhook, Reading
from cairn.domain.shared.errors import ServiceBusyError, ServiceRefusedError
from tests.unit.adapters.sources.conftest import SECRET, Posted, posted
from tests.unit.fakes import Inbox, Secrets

BELOW = "https://graph.facebook.com/v25.0/"
AT = datetime.fromisoformat("2026-03-09T14:00:00+00:00")
"""When the sample's lead came."""
SOON = AT + timedelta(minutes=1)
LATE = AT + timedelta(hours=7)


def leads(*ids: str) -> Posted:
    changes = [
        {"field": "leadgen", "value": {"leadgen_id": one, "page_id": "153", "created_time": int(AT.timestamp())}}
        for one in ids
    ]
    return posted("facebook-leads", {"object": "page", "entry": [{"id": "153", "time": 1, "changes": changes}]})


def answers_of(id_: str) -> dict[str, Any]:
    return {"id": id_, "field_data": [{"name": "email", "values": [f"lead{id_}@example.com"]}]}


def reading(lead: Posted, fetch: Callable[[str], Any], now: datetime = SOON) -> Reading:
    found: Reading = lead.source.read(lead.request, now, fetch)
    return found


def gives(url: str) -> dict[str, Any]:
    return answers_of(url.removeprefix(BELOW).partition("?")[0])


def is_busy(_: str) -> Any:
    raise ServiceBusyError("the vendor answered 503 instead of giving what the webhook points to")


def refuses(_: str) -> Any:
    raise ServiceRefusedError("the vendor", "HTTP 400")


class TestALead:
    def test_comes_with_its_answers(self) -> None:
        [event] = reading(leads("7"), gives).events

        assert {one.kind: one.value for one in event.identifiers}["email"] == "lead7@example.com"
        assert event.properties["answers"] == {"email": "lead7@example.com"}
        assert "email" not in event.vouched, "a visitor typed it"

    def test_comes_with_its_ids_where_the_deployment_fetches_nothing(self) -> None:
        found = reading(leads("7"), lambda _: None)

        assert (found.pending, found.alarms) == (0, ())
        assert [one.kind for one in found.events[0].identifiers] == ["external:facebook_lead"]

    def test_waits_for_its_answers_and_the_others_do_not_wait_for_it(self) -> None:
        def fetch(url: str) -> Any:
            return is_busy(url) if "/8?" in url else gives(url)

        found = reading(leads("7", "8", "9"), fetch)

        assert (found.pending, found.ignored, found.problems, found.alarms) == (1, False, (), ())
        assert [one.properties["leadgen_id"] for one in found.events] == ["7", "9"]
        assert [one.key for one in reading(leads("7", "8", "9"), gives).events][::2] == [
            one.key for one in found.events
        ]

    def test_that_is_refused_calls_a_person_who_can_mend_the_token_while_it_waits(self) -> None:
        found = reading(leads("7"), refuses)

        assert (found.events, found.pending) == ((), 1)
        assert found.alarms == (
            {"source": "facebook-leads", "reason": "not fetched: the vendor refused the call: HTTP 400", "parts": 1},
        )

    @pytest.mark.parametrize("fetch", [is_busy, refuses])
    def test_comes_without_its_answers_before_facebook_posts_it_no_more(self, fetch: Any) -> None:
        found = reading(leads("7"), fetch, LATE)

        assert (len(found.events), found.pending, len(found.alarms)) == (1, 0, 1)

    def test_without_an_instant_does_not_wait(self) -> None:
        body = {"entry": [{"id": "1", "changes": [{"field": "leadgen", "value": {"leadgen_id": "7", "page_id": "1"}}]}]}

        assert reading(posted("facebook-leads", body), is_busy).pending == 0

    def test_of_a_page_that_is_not_ours_is_not_asked_for(self, tmp_path: Any) -> None:
        path = tmp_path / "sources.toml"
        path.write_text("[facebook-leads]\nonly = \"entry.id == '999'\"", encoding="utf-8")
        asked: list[str] = []
        source = sources(path)["facebook-leads"]

        assert source.read(leads("7").request, SOON, asked.append).refused == 1
        assert asked == []

    def test_among_many_is_asked_for_beside_the_others(self) -> None:
        begun = time.monotonic()

        def slowly(url: str) -> Any:
            time.sleep(0.05)
            return gives(url)

        found = reading(leads(*map(str, range(2 * AT_ONCE))), slowly)

        assert len(found.events) == 2 * AT_ONCE
        assert time.monotonic() - begun < 0.05 * 2 * AT_ONCE

    def test_for_which_there_is_no_time_waits(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(fetching, "SECONDS", -1)

        assert reading(leads("7", "8"), gives).pending == 2

    def test_of_a_request_that_takes_too_long_comes_when_it_is_posted_again(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(fetching, "SECONDS", 0.05)
        found: set[str] = set()

        def slowly(url: str) -> Any:
            time.sleep(0.02)
            return gives(url)

        for attempt in range(12):
            one = reading(leads(*map(str, range(100))), slowly, SOON + timedelta(minutes=attempt))
            assert one.pending
            found |= {event.properties["leadgen_id"] for event in one.events}

        assert len(found) > 50

    def test_beside_a_part_that_cannot_be_read_leaves_one_dead_letter_for_all_attempts(self) -> None:
        secrets = Secrets(**{"facebook-leads": (SECRET,), "facebook-leads-token": (SECRET,)})
        inbox, given = Inbox(), [ServiceBusyError("503"), ServiceBusyError("503"), answers_of("7")]

        def document_at(_url: str, _token: str) -> Any:
            answer = given.pop(0)
            if isinstance(answer, Exception):
                raise answer
            return answer

        accept = AcceptWebhook(sources(), secrets, inbox, document_at)
        changes = [
            {"field": "leadgen", "value": {"leadgen_id": "7", "page_id": "1", "created_time": int(AT.timestamp())}},
            {"field": "leadgen", "value": {"leadgen_id": "8", "page_id": "1", "created_time": "no instant"}},
        ]
        body = {"object": "page", "entry": [{"id": "1", "time": 1, "changes": changes}]}
        lead = posted("facebook-leads", body)
        document_of_8 = {"field_data": []}
        given = [one for answer in given for one in (answer, document_of_8)]

        pending = [accept("facebook-leads", lead.request, SOON).pending for _ in range(3)]

        assert (pending, len(inbox.unreadable)) == ([1, 1, 0], 1)


class TestTheAddress:
    @given(st.text() | st.integers() | st.none() | st.lists(st.text()))
    def test_lies_below_the_one_of_the_mapping_whatever_the_webhook_says(self, id_: Any) -> None:
        pointer = Pointer(when="`true`", below=BELOW, path="id", query="fields=a")

        url = pointer.url_in({"id": id_})

        if url is not None:
            segment = url.removeprefix(BELOW).removesuffix("?fields=a")
            assert segment == str(id_)
            assert not set(segment) & set("/.?#%:@\\ ")

    @pytest.mark.parametrize("id_", ["../me/accounts", "7?fields=x", "7/", "", "a" * 201, "7\n", "%2e%2e"])
    def test_of_an_odd_id_is_none(self, id_: str) -> None:
        assert Pointer(when="`true`", below=BELOW, path="id").url_in({"id": id_}) is None

    @pytest.mark.parametrize(
        "below", ["http://graph.facebook.com/", "https://graph.facebook.com", "graph", "https:///x y/"]
    )
    def test_is_https_and_ends_before_the_segment(self, below: str) -> None:
        with pytest.raises(InvalidSourceError, match=r"fetch\.below"):
            Pointer.made_from({"when": "`true`", "below": below, "path": "id"})
