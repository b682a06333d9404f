"""A business in the middle of its week, for the pages of the console: something of everything that they show."""

import json
from datetime import UTC, datetime
from pathlib import Path

from tests.conftest import Begins, Story
from tests.stories.shop import CONSENTED, POLICY

MORNING = datetime(2026, 3, 2, 15, tzinfo=UTC)
"""10:00 on Monday 2 March in New York."""

SPLIT = """\
  - id: which-tips
    split:
      winner: person
      arms:
        - arm: three-classes
          weight: 50
          then:
            - id: tips
              send: {channel: email, template: tips, purpose: marketing}
        - {arm: nothing, weight: 50}
"""
TIPS = """\
  - id: tips
    send: {channel: email, template: tips, purpose: marketing}
"""
"""What the version that the last two entered had instead."""

FILES = {
    "policy.toml": POLICY % "",
    "replies.toml": 'queue = "inbox"\n',
    "people.toml": """
[queues.compliance]
title = "Compliance"
due = "8h"
[queues.inbox]
title = "Inbox"
due = "4h"
escalate_to = "managers"
[queues.sales]
title = "Sales"
due = "4h"
escalate_to = "managers"
[queues.sales.outcomes.booked]
title = "Booked a visit"
event = "visit.booked"
[queues.sales.outcomes.lost]
title = "Not interested"
[queues.sales.outcomes.callback]
title = "Call back"
at_hour_of_choice = true
[queues.managers]
title = "Managers"
due = "8h"
[members.ana]
name = "Ana"
queues = ["inbox", "sales", "compliance"]
[members.maria]
name = "Maria"
queues = ["managers"]
""",
    "audiences.toml": """
[[audiences]]
audience = "members"
when = "profile.plan"
partition = "profile.plan"
""",
    "journeys/trial-welcome/journey.yaml": """
journey: trial-welcome
description: A trial member is welcomed, shown the classes, and called where no visit came of it.
time_zone: America/New_York
entry: {event: trial.signup, again: never}
goal: {event: membership.started, within: 30d}
holdout: 20%
steps:
  - id: hello
    send: {channel: sms, template: hello, purpose: transactional}
"""
    + SPLIT
    + """\
  - id: first-visit
    wait_for:
      event: visit.attended
      timeout: 3d
      then:
        - {id: came, exit: came}
  - id: call
    task: {queue: sales, title: Call a trial member, due: 4h}
""",
    "journeys/trial-welcome/templates/hello.sms.txt": (
        "Northside: welcome, {{ profile.first_name }}! Reply STOP to stop."
    ),
    "journeys/trial-welcome/templates/tips.email.html": (
        "---\nsubject: Your first week\n---\n<p>Hello {{ profile.first_name }}, three classes to try.</p>"
    ),
    "journeys/trial-welcome/samples.yaml": """
- name: all is known
  profile: {first_name: Mia, email: mia@example.com, phone: "+12015550111", time_zone: America/New_York, region: NY}
  consent: [{channel: email, purpose: marketing}]
""",
    "journeys/price-offer/journey.yaml": """
journey: price-offer
description: An offer with a price, read by compliance first.
time_zone: America/New_York
entry: {event: offer.wanted, again: when-ended}
steps:
  - id: offer
    send:
      channel: sms
      template: offer
      purpose: marketing
      review: {queue: compliance, within: 6h, otherwise: drop}
  - {id: the-end, wait: 30d}
""",
    "journeys/price-offer/templates/offer.sms.txt": "Northside: a year for 299 USD until Sunday. Reply STOP to stop.",
    "journeys/spring-offer/journey.yaml": """
journey: spring-offer
description: What all members get in spring.
time_zone: America/New_York
entry:
  event: broadcast.started
  where: event.properties.journey == 'spring-offer'
  key: event.properties.broadcast
  again: when-ended
steps:
  - {id: in-time, wait: {until: data.at}}
""",
}

NAMES = ("Mia", "Sam", "Lea", "Tom", "Ida", "Max", "Eva", "Ben", "Zoe", "Jan", "Amy", "Leo")


def opened(folder: Path, begin: Begins) -> Story:
    """Four days after twelve people signed up: one has asked something, one offer waits for compliance.

    Two of them entered a version of the journey that was edited since.
    """
    for name, text in FILES.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    edited, text = folder / "journeys" / "trial-welcome" / "journey.yaml", FILES["journeys/trial-welcome/journey.yaml"]
    edited.write_text(text.replace(SPLIT, TIPS), encoding="utf-8")
    story = begin(folder / "journeys", at=MORNING, policy=folder / "policy.toml")
    for number in (11, 12):
        signs_up(story, number)
    edited.write_text(text, encoding="utf-8")
    story.deployment.deploy(folder / "journeys")
    for number in range(1, 11):
        signs_up(story, number)
    story.passes("1d")
    for number in (2, 5):
        story.happens("visit.attended", customer={"user_id": f"member-{number}"})
    story.happens("membership.started", customer={"user_id": "member-2"})
    story.passes("2d")
    story.passes("3h")
    story.happens("offer.wanted", customer={"user_id": "member-1"})
    _texts(story, "Is there a class on Sunday?", "+12125550103")
    story.passes("1m")
    return story


def signs_up(story: Story, number: int) -> None:
    name = NAMES[number - 1]
    story.happens(
        "trial.signup",
        customer={
            "user_id": f"member-{number}",
            "email": f"{name.lower()}@example.com",
            "phone": f"+1212555{100 + number:04}",
        },
        attributes={
            "first_name": name,
            "last_name": "Sample",
            "time_zone": "America/New_York",
            "region": "NY",
            **({"plan": "gold"} if number % 3 == 0 else {}),
        },
        consent=CONSENTED,
    )


def _texts(story: Story, words: str, phone: str) -> None:
    """A customer sends us a text message."""
    reply = {"originationNumber": phone, "destinationNumber": "+12125550199", "messageKeyword": "K"}
    story.deployment.feedback(json.dumps({**reply, "messageBody": words, "inboundMessageId": "a-question"}))
    story.deployment.settle()
