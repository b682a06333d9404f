"""A checkout that has not changed for an hour, and that no order followed, is abandoned: by deliveries in any order."""

import itertools
import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from authoring.sources.samples import sample_headers, sample_named
from cairn.adapters.sources import VENDORS
from cairn.domain.shared.instants import instant_from_wire, instant_to_wire
from tests.stories.test_docs_examples import readme_journey
from tests.stories.test_webhooks_of_vendors import posts
from tests.unit.adapters.sources.test_docs import journeys_of

PAGE = VENDORS / "shopify" / "README.md"
TOKEN = "bd5a8aa1ecd019dd3520ff791ee3a24c"


class Shop:
    """A customer of a shop, who has consented to e-mail and SMS; `at` is in minutes since the story began."""

    def __init__(self, story: Any) -> None:
        self.story = story
        self.began = story.deployment.now()
        consent = {f"{one}_marketing_consent__consent_updated_at": self.at(0) for one in ("email", "sms")}
        self._posts("customers_update", updated_at=self.at(0), **consent)

    def at(self, minutes: float) -> str:
        return instant_to_wire(self.began + timedelta(minutes=minutes))

    def cart(self, changed: float, *, completed: float | None = None, token: str = TOKEN, shoes: int = 1) -> None:
        """Shopify's webhook about a checkout, as it was at that minute."""
        document = self._sample("checkouts_update")
        document["line_items"][0]["quantity"] = shoes
        times = {"created_at": self.at(1), "updated_at": self.at(changed)}
        done = {"completed_at": self.at(completed) if completed is not None else None}
        self._send("checkouts_update", document | times | done | {"token": token})

    def order(self, placed: float, *, token: str | None = TOKEN, name: str = "orders_create") -> None:
        times = {"created_at": self.at(placed), "updated_at": self.at(placed)}
        self._posts(name, **times, checkout_token=token)

    def passes(self, minutes: float) -> None:
        self.story.passes(f"{int(minutes * 60)}s")

    @property
    def abandoned(self) -> list[float]:
        """The minutes at which the customer was written to."""
        lines = self.story.timeline("message", of="lena.sample@example.com")
        return [round((instant_from_wire(line["at"]) - self.began).total_seconds() / 60) for line in lines]

    def _sample(self, name: str) -> Any:
        return json.loads(sample_named(f"shopify/{name}").read_text(encoding="utf-8"))

    def _posts(self, sample: str, **changed: Any) -> None:
        document = self._sample(sample)
        for name, value in changed.items():
            holder, _, field = name.rpartition("__")
            (document[holder] if holder else document)[field] = value
        self._send(sample, document)

    def _send(self, sample: str, document: Any) -> None:
        headers = sample_headers(sample_named(f"shopify/{sample}"))
        assert posts(self.story, "shopify", document, headers)["statusCode"] == 202


@pytest.fixture
def shop(a_story: Any, tmp_path: Path) -> Shop:
    """With the journey that Shopify's page shows."""
    return Shop(a_story(journeys_of(PAGE, tmp_path)))


def test_a_checkout_without_an_order_is_abandoned_after_an_hour(shop: Shop) -> None:
    shop.passes(1)
    shop.cart(1)

    shop.passes(24 * 60)

    assert shop.abandoned == [61]


def test_each_change_begins_the_hour_anew(shop: Shop) -> None:
    for minute in (1, 31, 61, 91):
        shop.passes(30 if minute > 1 else 1)
        shop.cart(minute, shoes=minute)

    shop.passes(24 * 60)

    assert shop.abandoned == [151]


def test_a_change_that_is_delivered_late_does_not_shorten_the_hour(shop: Shop) -> None:
    shop.passes(40)
    shop.cart(40, shoes=3)
    shop.cart(1)

    shop.passes(24 * 60)

    assert shop.abandoned == [100]


def test_a_cart_that_the_customer_comes_back_to_may_be_abandoned_once_more(shop: Shop) -> None:
    shop.passes(1)
    shop.cart(1)
    shop.passes(120)
    shop.cart(121, shoes=2)

    shop.passes(24 * 60)

    assert len(shop.abandoned) == 2
    assert shop.abandoned[0] == 61
    assert shop.abandoned[1] >= 181  # the gate may hold it for a while, since one has just gone out


def deliveries(shop: Shop) -> dict[str, Any]:
    """What Shopify sends about a checkout that is changed, and bought in minute 20."""
    return {
        "filled": lambda: shop.cart(1),
        "changed": lambda: shop.cart(15, shoes=2),
        "order": lambda: shop.order(20),
        "completed": lambda: shop.cart(20, completed=20),
    }


@pytest.mark.parametrize("order", list(itertools.permutations(("filled", "changed", "order", "completed"))))
def test_a_checkout_that_was_bought_is_never_abandoned(order: tuple[str, ...], shop: Shop) -> None:
    """In every order, each delivered twice, half a minute apart."""
    shop.passes(25)
    for name in (*order, *order):
        deliveries(shop)[name]()
        shop.passes(0.5)

    shop.passes(24 * 60)

    assert shop.abandoned == []


def test_an_order_with_another_token_counts_as_well(shop: Shop) -> None:
    shop.passes(1)
    shop.cart(1)
    shop.passes(19)
    shop.order(20, token=None)

    shop.passes(24 * 60)

    assert shop.abandoned == []


def test_a_change_that_follows_the_order_abandons_nothing(shop: Shop) -> None:
    shop.passes(20)
    shop.cart(1)
    shop.order(20)
    shop.passes(2)
    shop.cart(21)

    shop.passes(24 * 60)

    assert shop.abandoned == []


def test_another_cart_is_abandoned_for_itself(shop: Shop) -> None:
    shop.passes(1)
    shop.cart(1)
    shop.cart(1, token="another-token")
    shop.passes(10)
    shop.cart(11, completed=11)

    shop.passes(24 * 60)

    assert shop.abandoned == [61]


@pytest.mark.parametrize(("paid", "reminders"), [(None, 2), (300, 1), (170, 0), (100, 0)])
def test_the_journey_of_the_readme_reminds_of_a_cart_until_it_is_paid(
    paid: int | None, reminders: int, a_story: Any, tmp_path: Path
) -> None:
    """Two hours after its last change, in minute 60, as soon as the law allows it; and the evening after."""
    shop = Shop(a_story(readme_journey(tmp_path, holdout="0")))
    shop.passes(1)
    shop.cart(1)
    shop.passes(59)
    shop.cart(60, shoes=2)
    if paid is not None:
        shop.passes(paid - 60)
        shop.order(paid, name="orders_paid")

    shop.passes(2 * 24 * 60)

    assert len(shop.abandoned) == reminders
    assert all(minute >= 180 for minute in shop.abandoned)
