"""Segment: who a call is about, and what its own words become."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from cairn.adapters.sources import VENDORS, sources
from cairn.domain.identity.identifiers import EMAIL, USER_ID, Identifier
from tests.unit.adapters.sources.conftest import NOW

PAGE = (VENDORS / "segment" / "README.md").read_text(encoding="utf-8")
BROWSER = "external:segment:00000000-0000-4000-8000-0000000000aa"


def shown(name: str, folder: Path) -> Any:
    """The source with the file of this name, which the page shows."""
    [written] = re.findall(rf"```toml {name}\n(.*?)\n *```", PAGE, re.DOTALL)
    configuration = folder / "sources.toml"
    configuration.write_text(written, encoding="utf-8")
    return sources(configuration)["segment"]


def a_track(event: str, **fields: Any) -> dict[str, Any]:
    call = {"type": "track", "event": event, "messageId": "m-1", "userId": "user-55", "properties": {"guide": 1}}
    return call | {"timestamp": "2026-03-09T14:00:00.000Z"} | fields


def test_an_anonymous_visitor_is_known_by_the_browser_until_there_is_a_better_name(take: Any) -> None:
    before, after = ("segment/track_product_added_anonymous", "segment/track_product_added")

    assert [one.key for one in take(before).read().events[0].identifiers] == [BROWSER]
    assert take(after).read().events[0].identifiers == (Identifier(USER_ID, "user-55"),)


def test_pages_of_anonymous_visitors_are_nobodys(take: Any) -> None:
    assert take("segment/page_anonymous").read().ignored
    assert not take("segment/page").read().ignored


def test_any_visitor_can_identify_as_anybody_until_the_deployment_knows_better(take: Any, tmp_path: Any) -> None:
    signed = take("segment/identify")

    [by_default] = signed.read().events
    [of_servers] = shown("sources.toml", tmp_path).read(signed.request, NOW).events

    names = ("user_id", "email", "phone", "attributes.plan")
    assert [by_default.vouches(name) for name in names] == [False] * 4
    assert [of_servers.vouches(name) for name in names] == [True] * 4


def test_the_traits_of_a_group_are_not_the_persons(take: Any) -> None:
    [event] = take("segment/group").read().events

    assert event.identifiers == (Identifier(USER_ID, "user-55"),)
    assert "name" not in event.attributes


def test_a_line_of_the_page_joins_the_browser_with_the_customer(take: Any, tmp_path: Any) -> None:
    [event] = shown("anonymous.toml", tmp_path).read(take("segment/identify").request, NOW).events

    assert BROWSER in [one.key for one in event.identifiers]


@pytest.mark.parametrize(("newsletter", "statuses"), [(True, ["granted"]), (False, ["denied"]), (None, [])])
def test_a_trait_of_ones_own_may_say_what_a_customer_wants(
    newsletter: Any, statuses: list[str], take: Any, post: Any, tmp_path: Any
) -> None:
    document = json.loads(take("segment/identify").request.body)
    document["traits"]["newsletter"] = newsletter
    request = post("segment", document).request

    [event] = shown("consent.toml", tmp_path).read(request, NOW).events

    assert [str(change.status) for change in event.consent] == statuses


def test_consent_to_cookies_is_no_consent_to_messages(take: Any) -> None:
    [event] = take("segment/track_consent_preference").read().events

    assert event.consent == ()
    assert event.properties["categories"] == {"Advertising": False, "Analytics": True}


@pytest.mark.parametrize(
    ("name", "event_type"),
    [
        ("Trail Guide Downloaded", "segment.trail_guide_downloaded"),
        ("guide:downloaded", "segment.guide.downloaded"),
        ("guideDownloaded", "segment.guide_downloaded"),
        ("order completed ", "order.paid"),
        ("message.bounced", "segment.message.bounced"),
    ],
)
def test_a_name_of_ones_own_becomes_a_type_in_our_shape(name: str, event_type: str, post: Any) -> None:
    [event] = post("segment", a_track(name)).read().events

    assert event.type == event_type


def test_an_e_mail_of_the_checkout_names_the_customer(post: Any) -> None:
    [event] = (
        post("segment", a_track("Order Completed", userId=None, properties={"email": "a@example.com"})).read().events
    )

    assert event.identifiers == (Identifier(EMAIL, "a@example.com"),)
