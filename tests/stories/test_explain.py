"""`cairn explain` for each reason of the gate: a story that leads to the reason, and its sentence."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from unittest.mock import patch

import pytest

from cairn.domain.gate.codes import Reason
from cairn.domain.message.rate_limit import Reservation
from cairn.domain.shared.channels import Channel, Purpose
from functions.deliver_message import handler
from tests.stories.shop import MAIL, MIA, NEW_YORK_MORNING, RECEIPT, REVIEWED, SMS, WHATSAPP, Opens, Shop

IN_THE_EVENING = NEW_YORK_MORNING + timedelta(hours=12)


STORIES: dict[Reason, tuple[Callable[[Opens], Shop], str]] = {}
"""For each reason, a story that leads to it and the sentence that explains it."""


def explained_as(reason: Reason, sentence: str) -> Callable[[Callable[[Opens], Shop]], Callable[[Opens], Shop]]:
    def note(story: Callable[[Opens], Shop]) -> Callable[[Opens], Shop]:
        STORIES[reason] = (story, sentence)
        return story

    return note


@explained_as(
    Reason.GRANTED,
    "Sent as a text: the customer consented to marketing texts on 2 March 2026, 10:00 by the API (source track).",
)
def _(opens: Opens) -> Shop:
    shop = opens(SMS)
    shop.happens("note.wanted")
    return shop


@explained_as(
    Reason.IMPLIED,
    "Sent as a text: transactional texts need no consent of their own where the customer left the address for what it "
    "asked for.",
)
def _(opens: Opens) -> Shop:
    shop = opens(RECEIPT)
    shop.happens("note.wanted", consent=[])
    return shop


@explained_as(Reason.ANSWER, "Sent as a text: it answers the customer's HELP.")
def _(opens: Opens) -> Shop:
    shop = opens(RECEIPT)
    shop.happens("note.wanted")
    shop.texts("HELP")
    return shop


@explained_as(Reason.PAUSED, "Held because journey shop is paused, until somebody resumes it.")
def _(opens: Opens) -> Shop:
    shop = opens(RECEIPT)
    shop.cairn("switch", "pause", "journey:shop", "--why", "a wrong price")
    shop.happens("note.wanted")
    return shop


@explained_as(
    Reason.IN_DOUBT,
    "Held until 11:00 on Monday 2 March in America/New_York because the customer's reply on 2 March 2026, 10:00 may be "
    "a STOP; a person decides by 10:00 on Tuesday 3 March in America/New_York, else it is one.",
)
def _(opens: Opens) -> Shop:
    shop = opens(SMS)
    shop.happens("note.known")
    shop.texts("how do I stop these?")
    shop.happens("note.wanted", consent=[])
    return shop


@explained_as(
    Reason.REVIEW,
    "Held until 16:00 on Monday 2 March in America/New_York because somebody of “compliance” has to "
    "approve it before it goes out.",
)
def _(opens: Opens) -> Shop:
    shop = opens(REVIEWED)
    shop.happens("note.wanted")
    return shop


@explained_as(
    Reason.ORDER,
    "Held until 11:00 on Monday 2 March in America/New_York because the journey means to say something "
    "else first, which waits too",
)
def _(opens: Opens) -> Shop:
    shop = opens(REVIEWED, RECEIPT)
    shop.happens("note.wanted")
    return shop


@explained_as(
    Reason.QUIET_HOURS,
    "Held until 08:00 on Tuesday 3 March in America/New_York because 47 CFR 64.1200(c)(1) allows marketing texts from "
    "08:00 to 21:00 only.",
)
def _(opens: Opens) -> Shop:
    shop = opens(SMS, at=IN_THE_EVENING)
    shop.happens("note.wanted")
    return shop


@explained_as(
    Reason.CLOSED_DAY,
    "Held until 00:00 on Tuesday 3 March in America/New_York because policy.toml allows no marketing e-mails on "
    "this day.",
)
def _(opens: Opens) -> Shop:
    shop = opens(MAIL, policy='[[closed]]\njurisdiction = "*"\ndays = ["mon"]')
    shop.happens("note.wanted")
    return shop


@explained_as(
    Reason.PREFERRED_HOUR,
    "Held until 18:30 on Monday 2 March in America/New_York because 18:30 is when the customer likes to hear from us.",
)
def _(opens: Opens) -> Shop:
    shop = opens({**SMS, "hour": "preferred"})
    shop.happens("note.wanted", attributes={**MIA["attributes"], "preferred_time": "18:30"})
    return shop


@explained_as(
    Reason.CAP,
    "Held until 08:00 on Tuesday 3 March in America/New_York because a customer gets at most 1 marketing "
    "texts a day, and 1 have gone out.",
)
def _(opens: Opens) -> Shop:
    shop = opens(SMS, SMS, policy='[[caps]]\nlimit = 1\nwindow = "day"\nchannel = "sms"')
    shop.happens("note.wanted")
    return shop


@explained_as(
    Reason.COOLDOWN,
    "Held until 14:00 on Monday 2 March in America/New_York because there are at least 4h between two "
    "marketing messages.",
)
def _(opens: Opens) -> Shop:
    shop = opens(SMS, SMS, policy='[[cooldowns]]\nlength = "4h"')
    shop.happens("note.wanted")
    return shop


@explained_as(Reason.KILL_SWITCH, "Not sent: sending texts was switched off.")
def _(opens: Opens) -> Shop:
    shop = opens(RECEIPT)
    shop.cairn("switch", "stop", "channel:sms", "--why", "texts to the wrong people")
    shop.happens("note.wanted")
    return shop


@explained_as(Reason.ENDED, "Not sent: the customer had left journey shop before it could go out.")
def _(opens: Opens) -> Shop:
    shop = opens(REVIEWED)
    shop.happens("note.wanted")
    shop.happens("note.unwanted")
    shop.passes("7h")
    return shop


@explained_as(Reason.NO_ADDRESS, "Not sent: there is no address for texts at which the customer can be reached.")
def _(opens: Opens) -> Shop:
    shop = opens(RECEIPT)
    shop.happens("note.wanted", customer={"user_id": "mia"})
    return shop


@explained_as(
    Reason.SUPPRESSED_ADDRESS,
    "Not sent: the address is suppressed: one of our own people suppressed it on 2 March 2026, 10:00.",
)
def _(opens: Opens) -> Shop:
    shop = opens(RECEIPT)
    shop.cairn("suppress", "+1 (212) 555-0001", "--why", "she asked on the phone")
    shop.happens("note.wanted")
    return shop


@explained_as(Reason.OPTED_OUT, "Not sent: the customer replied STOP on 2 March 2026, 10:00.")
def _(opens: Opens) -> Shop:
    shop = opens(RECEIPT)
    shop.happens("shop.visited")
    shop.texts("STOP")
    shop.passes("2m")
    shop.happens("note.wanted", consent=[])
    return shop


@explained_as(Reason.NO_CONSENT, "Not sent: the customer has not consented to marketing texts.")
def _(opens: Opens) -> Shop:
    shop = opens(SMS)
    shop.happens("note.wanted", consent=[])
    return shop


@explained_as(
    Reason.UNCONFIRMED,
    "Not sent: the customer has not confirmed the consent to marketing e-mails on 2 March 2026, 10:00 by the API "
    "(source track).",
)
def _(opens: Opens) -> Shop:
    shop = opens(MAIL, policy='double_opt_in = ["email"]')
    shop.happens("note.wanted")
    return shop


@explained_as(Reason.FORBIDDEN, "Not sent: marketing WhatsApp messages may not be sent to US (")
def _(opens: Opens) -> Shop:
    shop = opens({**WHATSAPP, "purpose": "marketing"})
    shop.happens("note.wanted")
    return shop


@explained_as(
    Reason.SESSION_OVER,
    "Not sent: the customer has not written to us, and until then only a template that WhatsApp has "
    "approved may go out.",
)
def _(opens: Opens) -> Shop:
    shop = opens(WHATSAPP)
    shop.happens("note.wanted")
    return shop


@explained_as(
    Reason.UNREGISTERED,
    "Not sent: IN takes texts only from templates that are registered there, and this one is not.",
)
def _(opens: Opens) -> Shop:
    shop = opens(RECEIPT)
    shop.happens("note.wanted", customer={"user_id": "asha", "phone": "+919812345678"}, attributes={"first_name": "A"})
    return shop


@explained_as(
    Reason.STALE,
    "Not sent: it was of use until 00:00 on Tuesday 3 March in America/New_York only, and would have had to wait until "
    "08:00 on Tuesday 3 March in America/New_York because 47 CFR 64.1200(c)(1) allows marketing texts "
    "from 08:00 to 21:00 only.",
)
def _(opens: Opens) -> Shop:
    shop = opens({**SMS, "useful_for": "2h"}, at=IN_THE_EVENING)
    shop.happens("note.wanted")
    return shop


@explained_as(Reason.NO_LEGAL_HOUR, "Not sent: policy.toml leaves no hour for marketing texts within two weeks")
def _(opens: Opens) -> Shop:
    every = 'days = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]'
    shop = opens(SMS, policy=f'[[closed]]\njurisdiction = "*"\n{every}')
    shop.happens("note.wanted")
    return shop


@explained_as(Reason.REJECTED, "Not sent: local rejected it on 2 March 2026, 10:00.")
def _(opens: Opens) -> Shop:
    shop = opens(REVIEWED)
    shop.happens("note.wanted")
    shop.cairn("review", "reject", shop.deferred_id, "--why", "the tone")
    return shop


@explained_as(
    Reason.UNREVIEWED,
    "Not sent: nobody of “compliance” had approved it by 16:00 on Monday 2 March in America/New_York.",
)
def _(opens: Opens) -> Shop:
    shop = opens(REVIEWED)
    shop.happens("note.wanted")
    shop.passes("7h")
    return shop


@explained_as(
    Reason.LATE,
    "Not sent: it came due while journey shop was paused, and what was late by then is passed over.",
)
def _(opens: Opens) -> Shop:
    shop = opens(RECEIPT)
    shop.cairn("switch", "pause", "journey:shop", "--why", "a wrong price")
    shop.happens("note.wanted")
    shop.passes("3h")
    shop.cairn("switch", "resume", "journey:shop", "--policy", "skip_if_late", "--why", "mended")
    shop.passes("10m")
    return shop


class Crowded:
    """A rate limiter that has no capacity for a minute."""

    def reserve(self, channel: Channel, country: str, purpose: Purpose, now: datetime, after: str = "") -> Reservation:  # noqa: ARG002
        return Reservation(now + timedelta(minutes=1), channel.value)


@explained_as(
    Reason.RATE,
    "Held until 10:01 on Monday 2 March in America/New_York because the provider takes no more texts at once.",
)
def _(opens: Opens) -> Shop:
    shop = opens(RECEIPT)
    crowded = replace(handler.deliver(), rate_limiter=Crowded())
    with patch.object(handler, "deliver", lambda: crowded):
        shop.happens("note.wanted")
    return shop


@pytest.mark.parametrize("reason", Reason)
def test_each_reason_is_explained(opens: Opens, reason: Reason) -> None:
    story, sentence = STORIES[reason]

    shop = story(opens)

    line = shop.decided(reason)
    of_message = shop.cairn("explain", line["message_id"], "--customer", line["customer_id"])
    of_customer = shop.cairn("explain", line["customer_id"])
    assert sentence in of_message
    assert f"[{line['audit_id']}]" in of_message
    assert sentence in of_customer
