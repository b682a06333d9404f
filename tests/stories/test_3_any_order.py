"""Promise 3: events may arrive in any order; the profile and the message statuses end the same."""

import json
from itertools import permutations
from typing import Any

from cairn.adapters.dynamodb.codec import consents_to_wire, profile_to_wire
from cairn.domain.customer.state import Customer

MARCH = "2026-03-01T{:02d}:00:00Z"

LIFE = [
    {
        "type": "lead.captured",
        "occurred_at": MARCH.format(8),
        "customer": {"email": "Mia@Example.com"},
        "attributes": {"first_name": "Mia", "goal": "five kilometres", "tags": ["lead"]},
        "consent": [{"channel": "email", "purpose": "marketing", "status": "granted"}],
    },
    {
        "type": "app.installed",
        "occurred_at": MARCH.format(9),
        "customer": {"user_id": "mia", "external_ids": {"app": "device-9"}},
        "attributes": {"goal": None, "preferred_time": "18:30"},
    },
    {
        "type": "profile.completed",
        "occurred_at": MARCH.format(10),
        "customer": {"user_id": "mia", "email": "mia@example.com"},
        "attributes": {"goal": "ten kilometres", "tags": {"lead": False, "member": True}},
    },
    {
        "type": "consent.changed",
        "occurred_at": MARCH.format(11),
        "customer": {"email": "mia@example.com", "phone": "(201) 555-0123"},
        "consent": [{"channel": "email", "purpose": "marketing", "status": "denied"}],
    },
]


def comparable(customer: Customer) -> str:
    """A customer without what depends on the order by design: which of its ids stays, and its creation time."""
    profile = profile_to_wire(customer.profile)
    del profile["created_at"], profile["merged"]
    return json.dumps([profile, consents_to_wire(customer.contact.consents)], sort_keys=True)


def test_every_order_of_the_events_gives_the_same_customer(story: Any) -> None:
    from functions.process_event.handler import process

    lives = []
    for number, order in enumerate(permutations(LIFE)):
        story.deletes_all_items()
        for event in order:  # every order is a customer of its own
            text = json.dumps(event | {"id": f"{event['type']}-{number}"})
            text = text.replace("device-9", f"device-9-{number}").replace('"mia"', f'"mia-{number}"')
            text = text.replace("@", f".{number}@").replace("0123", f"{number:04d}")
            assert story.posts(text.encode())["statusCode"] == 202
        story.deployment.settle()
        lines = story.timeline(of=f"mia-{number}")
        customer = process().customers.load(lines[0]["customer_id"])
        events = sorted(f"{line['at']} {line['type']}" for line in lines if line["kind"] == "event")
        unnumbered = comparable(customer).replace(f'-{number}"', '"').replace(f".{number}@", "@")
        lives.append((unnumbered.replace(f"+1201555{number:04d}", "+12015550123"), tuple(events)))

    assert len(lives) == 24
    assert len(set(lives)) == 1
    assert "ten kilometres" in lives[0][0]
    assert "denied" in lives[0][0]


def test_every_order_of_a_providers_reports_gives_the_same_message_status(story: Any) -> None:
    from functions.process_event.handler import process

    ends = set()
    for number, order in enumerate(permutations(["Delivery", "Click", "Bounce"])):
        story.signs_up(number)
        story.passes("2h")
        line = next(line for line in story.timeline(of=f"member-{number}") if line.get("step") == "tips")
        enrollment = next(iter(process().customers.load(line["customer_id"]).enrollments))
        message = (f"{enrollment}-tips-2", line["customer_id"])
        for kind in order:
            story.ses_reports(kind, of=message, address=f"mia.{number}@example.com")
        ends |= {line["status"] for line in story.timeline(of=f"member-{number}") if line.get("step") == "tips"}

    assert ends == {"clicked"}
