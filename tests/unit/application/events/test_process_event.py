"""Process an event or a wake-up: find, decide, commit; also while other commits change the same customer."""

from dataclasses import replace
from datetime import timedelta

import pytest

from cairn.adapters.phone.numbers import to_e164
from cairn.application.conflicts import ATTEMPTS
from cairn.application.events.process_event import ProcessEvent
from cairn.domain.consent.changes import ConsentChange, ConsentStatus
from cairn.domain.consent.suppression import Cause
from cairn.domain.effects import AbsorbHistory, OpenTask, PauseEnrollment, WakeAt
from cairn.domain.event import Event
from cairn.domain.identity.identifiers import PHONE, Identifier, customer_id_for
from cairn.domain.journey.enrollment import Status, held_out
from cairn.domain.message.message import MessageStatus
from cairn.domain.operations.pauses import Pause
from cairn.domain.policy import MAX_NAMES, Policy
from cairn.domain.shared.channels import Channel, Purpose
from cairn.domain.shared.errors import ConflictError, InvalidEventError, ServiceRefusedError, UnknownCustomerError
from tests.unit.fakes import KEYS, Attempts, ChosenArms, Customers, ErasureOrders, Sent, Switches
from tests.unit.makers import MONDAY, Deployed, event, journey, name, send, sent, timers, wait

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
WELCOME = journey(send("hello"), wait("a-day", "1d"), send("tips"))


@pytest.fixture
def customers() -> Customers:
    return Customers()


@pytest.fixture
def journeys() -> Deployed:
    return Deployed(WELCOME)


@pytest.fixture
def sent_before() -> Sent:
    return Sent()


@pytest.fixture
def switches() -> Switches:
    return Switches()


@pytest.fixture
def process(customers: Customers, journeys: Deployed, sent_before: Sent, switches: Switches) -> ProcessEvent:
    return ProcessEvent(
        customers,
        journeys,
        lambda text: to_e164(text, "US"),
        KEYS,
        sent_before,
        switches,
        ChosenArms(),
        ErasureOrders(),
        languages=("de",),
    )


def test_a_new_customer_gets_the_id_of_its_strongest_identifier(
    process: ProcessEvent, customers: Customers, journeys: Deployed
) -> None:
    who = name(user_id="ada", email="ada@example.com")

    reaction = process(event("trial.signup", who=who), MONDAY)

    assert reaction is not None
    assert sent(reaction) == ["hello"]
    assert customers.who_is(*who) == customer_id_for(who[0], KEYS.customer_ids)
    assert next(iter(customers)).profile.identifiers == who
    assert journeys.stored == [WELCOME]


def test_a_duplicate_event_does_nothing(process: ProcessEvent, customers: Customers) -> None:
    signup = event("trial.signup")
    process(signup, MONDAY)

    assert process(signup, MONDAY + DAY) is None
    assert len(customers.commits) == 1


def test_an_event_is_read_once_decided_once_and_committed_once(process: ProcessEvent, customers: Customers) -> None:
    process(event("trial.signup"), MONDAY)

    process(event("visit.attended"), MONDAY)

    assert (customers.reads, len(customers.commits)) == (2, 2)


def test_after_a_conflict_the_event_is_decided_again(process: ProcessEvent, customers: Customers) -> None:
    customers.somebody_is_faster(times=ATTEMPTS - 1)

    reaction = process(event("trial.signup"), MONDAY)

    assert reaction is not None
    assert (customers.reads, len(customers.commits)) == (ATTEMPTS, 1)


def test_after_too_many_conflicts_the_queue_retries(process: ProcessEvent, customers: Customers) -> None:
    customers.somebody_is_faster(times=ATTEMPTS)

    with pytest.raises(ConflictError) as busy:
        process(event("trial.signup"), MONDAY)

    assert busy.value.retryable
    assert len(customers) == 0


def test_a_new_identifier_finds_the_customer_from_then_on(process: ProcessEvent, customers: Customers) -> None:
    process(event("trial.signup", who=name(user_id="ada")), MONDAY)

    process(event("profile.changed", who=name(user_id="ada", email="ada@example.com")), MONDAY)
    process(event("visit.attended", who=name(email="ada@example.com")), MONDAY)

    (ada,) = customers
    assert ada.profile.activity.keys() == {"trial.signup", "profile.changed", "visit.attended"}
    assert ada.profile.identifiers == name(user_id="ada", email="ada@example.com")


def test_an_event_that_names_two_customers_merges_them(process: ProcessEvent, customers: Customers) -> None:
    process(event("trial.signup", who=name(email="ada@example.com")), MONDAY)
    process(event("visit.attended", who=name(user_id="ada")), MONDAY)

    reaction = process(event("profile.changed", who=name(user_id="ada", email="ada@example.com")), MONDAY + DAY)

    (ada,) = customers
    by_mail = customer_id_for(*name(email="ada@example.com"), KEYS.customer_ids)
    assert ada.id == customer_id_for(*name(user_id="ada"), KEYS.customer_ids)
    assert ada.profile.activity.keys() == {"trial.signup", "visit.attended", "profile.changed"}
    assert ada.profile.merged == {by_mail: MONDAY + DAY}
    assert reaction is not None
    assert [effect.merged for effect in reaction.effects if isinstance(effect, AbsorbHistory)] == [by_mail]
    assert customers.load(by_mail) == ada


def test_a_merge_into_the_holdout_cleans_up_after_who_was_in_the_journey(
    process: ProcessEvent, customers: Customers
) -> None:
    """The enrollment that goes on is the earlier one, and the holdout never does what `finally` says."""
    mark, over = {"tags": {"add": ["trial"]}}, {"tags": {"remove": ["trial"]}}
    marked = journey(
        {"id": "mark", "update": mark},
        wait("a-day", "1d"),
        holdout=0.5,
        goal={"event": "membership.started"},
        **{"finally": [{"id": "over", "update": over}]},
    )
    process = replace(process, journeys=Deployed(marked))
    names = [name(**one) for number in range(20) for one in ({"email": f"{number}@x.com"}, {"user_id": f"m-{number}"})]
    in_holdout = [one for one in names if held_out("visit", customer_id_for(one[0], KEYS.customer_ids), 0.5)]
    by_mail = next(one for one in names if one in in_holdout and one[0].kind == "email")
    ada = next(one for one in names if one not in in_holdout and one[0].kind == "user_id")
    process(event("trial.signup", who=by_mail), MONDAY)
    process(event("trial.signup", MONDAY + HOUR, who=ada), MONDAY + HOUR)
    assert customers.load(customers.who_is(*ada)).profile.view()["tags"] == ["trial"]

    process(event("visit.attended", MONDAY + DAY, who=(*ada, *by_mail)), MONDAY + DAY)

    (merged,) = customers
    assert [one.status for one in merged.enrollments.values() if one.open] == [Status.HELD_OUT]
    assert merged.profile.view()["tags"] == []


def test_an_event_from_before_a_merge_is_still_a_duplicate_after_it(process: ProcessEvent) -> None:
    signup = event("trial.signup", who=name(email="ada@example.com"))
    process(signup, MONDAY)
    process(event("visit.attended", who=name(user_id="ada")), MONDAY)
    process(event("profile.changed", who=name(user_id="ada", email="ada@example.com")), MONDAY)

    assert process(signup, MONDAY + DAY) is None


def test_two_accounts_that_share_an_address_stay_apart(process: ProcessEvent, customers: Customers) -> None:
    family = "family@example.com"
    process(event("trial.signup", who=name(user_id="ada", email=family)), MONDAY)

    process(event("visit.attended", who=name(user_id="eve", email=family)), MONDAY)

    ada, eve = customers
    assert (ada.profile.activity.keys(), eve.profile.activity.keys()) == ({"trial.signup"}, {"visit.attended"})
    assert eve.profile.identifiers == name(user_id="eve")
    assert customers.who_is(*name(email=family)) == ada.id


def test_every_spelling_of_a_phone_number_is_the_same_number(process: ProcessEvent, customers: Customers) -> None:
    for number, written in enumerate(["(201) 555-0123", "+1 201 555 0123", "201.555.0123"]):
        process(event("visit.attended", id_=str(number), who=(Identifier(PHONE, written),)), MONDAY)

    (ada,) = customers
    assert ada.profile.identifiers == name(phone="+12015550123")
    assert ada.profile.get("phone") == "+12015550123"
    assert ada.profile.activity["visit.attended"].count == 3


def test_an_invalid_phone_number_is_dropped(process: ProcessEvent, customers: Customers) -> None:
    process(event("visit.attended", who=name(user_id="ada", phone="ask me")), MONDAY)

    (ada,) = customers
    assert ada.profile.identifiers == name(user_id="ada")
    assert ada.profile.get("phone") is None


def test_an_event_with_only_an_invalid_number_is_refused(process: ProcessEvent) -> None:
    with pytest.raises(InvalidEventError, match=r"customer\.phone"):
        process(event("visit.attended", who=name(phone="ask me")), MONDAY)


def test_our_own_events_find_the_customer_by_our_id(process: ProcessEvent, customers: Customers) -> None:
    process(event("trial.signup"), MONDAY)
    (ada,) = customers
    heard = Event("1", "feedback", "message.delivered", MONDAY, customer_id=ada.id, properties={"message_id": "m"})

    reaction = process(heard, MONDAY)

    assert reaction is not None
    assert len(reaction.effects) == 1


def test_a_late_event_about_an_erased_customer_has_no_customer(process: ProcessEvent) -> None:
    heard = Event("1", "feedback", "message.delivered", MONDAY, customer_id="c_gone", properties={"message_id": "m"})

    assert process(heard, MONDAY) is None


def test_an_event_of_a_source_about_an_unknown_customer_is_an_error(process: ProcessEvent) -> None:
    with pytest.raises(UnknownCustomerError):
        process(Event("1", "track", "visit.attended", MONDAY, customer_id="c_gone"), MONDAY)


def test_a_wake_up_moves_the_enrollment_and_is_stale_the_second_time(
    process: ProcessEvent, customers: Customers
) -> None:
    begun = process(event("trial.signup"), MONDAY)
    (ada,) = customers
    (timer,) = timers(begun)

    woken = process.wake(ada.id, timer.enrollment, timer.sequence, timer.at)
    again = process.wake(ada.id, timer.enrollment, timer.sequence, timer.at)

    assert woken is not None
    assert sent(woken) == ["tips"]
    assert again is None
    assert len(customers.commits) == 2


def test_a_wake_up_finds_the_customer_after_a_merge(process: ProcessEvent) -> None:
    by_mail = name(email="ada@example.com")
    begun = process(event("trial.signup", who=by_mail), MONDAY)
    (timer,) = timers(begun)
    process(event("visit.attended", who=name(user_id="ada")), MONDAY)
    process(event("profile.changed", who=name(user_id="ada", email="ada@example.com")), MONDAY)

    woken = process.wake(customer_id_for(*by_mail, KEYS.customer_ids), timer.enrollment, timer.sequence, timer.at)

    assert woken is not None
    assert sent(woken) == ["tips"]


def test_an_event_during_a_wake_up_causes_a_new_decision(process: ProcessEvent, customers: Customers) -> None:
    begun = process(event("trial.signup"), MONDAY)
    (ada,) = customers
    (timer,) = timers(begun)
    customers.somebody_is_faster()

    woken = process.wake(ada.id, timer.enrollment, timer.sequence, timer.at)

    assert woken is not None
    assert sent(woken) == ["tips"]
    assert [effect for effect in woken.effects if isinstance(effect, WakeAt)] == []


@pytest.mark.parametrize("seen", ["nobody", "before the start", "before another commit"])
def test_a_wake_up_that_sees_the_customer_of_a_moment_ago_is_decided_by_the_present_one(
    process: ProcessEvent, customers: Customers, seen: str
) -> None:
    if seen != "nobody":
        process(event("page.viewed"), MONDAY)
    before = {one.id: one for one in customers}
    begun = process(event("trial.signup"), MONDAY)
    (ada,) = customers
    (timer,) = timers(begun)
    if seen == "before another commit":
        before = {ada.id: ada}
        process(event("page.viewed", id_="2"), MONDAY)
    customers.lagging = before

    woken = process.wake(ada.id, timer.enrollment, timer.sequence, timer.at)

    assert woken is not None
    assert sent(woken) == ["tips"]
    customers.lagging = {one.id: one for one in customers}
    assert process.wake(ada.id, timer.enrollment, timer.sequence, timer.at) is None


def test_a_wake_up_that_sees_the_customer_before_it_moved_moves_nothing(
    process: ProcessEvent, customers: Customers
) -> None:
    begun = process(event("trial.signup"), MONDAY)
    (ada,) = customers
    (timer,) = timers(begun)
    process.wake(ada.id, timer.enrollment, timer.sequence, timer.at)
    commits, customers.lagging = len(customers.commits), {ada.id: ada}

    assert process.wake(ada.id, timer.enrollment, timer.sequence, timer.at) is None
    assert len(customers.commits) == commits


def test_a_wake_up_of_a_paused_journey_pauses_the_enrollment_at_its_step(
    process: ProcessEvent, customers: Customers, switches: Switches
) -> None:
    begun = process(event("trial.signup"), MONDAY)
    (ada,) = customers
    (timer,) = timers(begun)
    switches.pauses = (Pause("journey:visit", MONDAY),)

    paused = process.wake(ada.id, timer.enrollment, timer.sequence, timer.at)

    assert paused is not None
    noted = {id_: replace(one, paused_by="journey:visit 2026-03-02T10:00:00Z") for id_, one in ada.enrollments.items()}
    assert replace(paused.customer, version=ada.version) == replace(ada, enrollments=noted)
    assert [effect.target for effect in paused.effects if isinstance(effect, PauseEnrollment)] == ["journey:visit"]
    assert customers.commits[-1].reaction == paused
    assert process.wake(ada.id, timer.enrollment, timer.sequence, timer.at) is None, "delivered again"


def test_events_count_during_a_pause_without_reading_the_switches(process: ProcessEvent, switches: Switches) -> None:
    switches.pauses = (Pause("all", MONDAY),)

    begun = process(event("trial.signup"), MONDAY)

    assert sent(begun) == ["hello"]
    assert switches.asked == 0


def test_the_chosen_arms_are_read_only_for_journeys_that_choose_winners(
    process: ProcessEvent, journeys: Deployed
) -> None:
    chosen = process.chosen
    assert isinstance(chosen, ChosenArms)
    chosen["offer"] = {("which", ""): "gift"}
    process(event("trial.signup"), MONDAY)
    assert chosen.asked == 0
    arms = [{"arm": "gift", "weight": 1}, {"arm": "nothing", "weight": 10_000}]
    split = {"id": "which", "split": {"arms": arms, "winner": "person"}}
    journeys.deploy(journey(split, journey="offer", entry={"event": "visit.booked"}))

    reaction = process(event("visit.booked"), MONDAY)

    assert reaction is not None
    assert [fact.detail for fact in reaction.facts if fact.kind == "split"] == [{"arm": "gift", "because": "chosen"}]
    assert chosen.asked == 1


def reply(text: str, source: str = "twilio", **more: str) -> Event:
    who = name(phone="+12015550123")
    return event("message.replied", source=source, who=who, properties={"channel": "sms", "text": text} | more)


@pytest.mark.parametrize(
    ("text", "type_"),
    [
        ("STOP", "message.stopped"),
        ("Stopp!", "message.stopped"),
        ("abmelden", "message.stopped"),  # a language of this deployment
        ("arret", "message.replied"),  # one that is not
        ("help", "message.helped"),
        ("START", "message.started"),
        ("See you tomorrow", "message.replied"),
    ],
)
def test_a_reply_is_read_for_keywords_first(process: ProcessEvent, customers: Customers, text: str, type_: str) -> None:
    process(reply(text), MONDAY)

    (ada,) = customers
    assert list(ada.profile.activity) == [type_]


@pytest.mark.parametrize("channel", ["sms", "whatsapp", "email"])
def test_a_refusal_in_the_customers_own_words_is_a_stop_on_every_channel(
    process: ProcessEvent, customers: Customers, channel: str
) -> None:
    process(reply("Please take me off your list.\n\nSent from my phone", channel=channel), MONDAY)

    (ada,) = customers
    assert list(ada.profile.activity) == ["message.stopped"]
    assert ada.contact.has_stopped(Channel(channel))


@pytest.mark.parametrize("channel", ["sms", "whatsapp", "email"])
def test_a_reply_that_may_be_a_stop_stays_a_reply_and_is_shown_to_a_person(
    process: ProcessEvent, customers: Customers, channel: str
) -> None:
    consent = ConsentChange(Channel(channel), Purpose.MARKETING, ConsentStatus.GRANTED, MONDAY, "form")
    who = name(phone="+12015550123")
    process(event("consent.changed", source="shop", who=who, consent=(consent,)), MONDAY)
    reaction = process(reply("not interested", channel=channel, address="+12015550123"), MONDAY)

    (ada,) = customers
    assert reaction is not None
    assert "message.replied" in ada.profile.activity
    assert ada.contact.doubt(Channel(channel)) is not None
    (task,) = (one for one in reaction.effects if isinstance(one, OpenTask))
    assert task.context["text"] == "not interested"
    assert "+12015550123" not in str(ada.contact.consents)


def test_only_a_providers_report_of_a_reply_counts(process: ProcessEvent, customers: Customers) -> None:
    process(reply("STOP", source="track"), MONDAY)

    (ada,) = customers
    assert list(ada.profile.activity) == ["message.replied"]
    assert ada.contact.consents == {}


def test_a_stop_withdraws_consent_on_its_channel(process: ProcessEvent, customers: Customers) -> None:
    process(reply("STOP"), MONDAY)

    (ada,) = customers
    assert ada.contact.consent(Channel.SMS, Purpose.MARKETING) is ConsentStatus.DENIED
    assert ada.contact.consent(Channel.SMS, Purpose.TRANSACTIONAL) is ConsentStatus.DENIED
    assert ada.contact.consent(Channel.EMAIL, Purpose.MARKETING) is None


def test_a_stop_is_heard_where_the_customer_is_too_large_to_write(process: ProcessEvent, customers: Customers) -> None:
    process(reply("hello"), MONDAY)
    stop = replace(reply("STOP", address="+12015550123"), id="stop")
    customers.is_too_large_for("stop")

    with pytest.raises(ServiceRefusedError):  # so it becomes a dead letter
        process(stop, MONDAY)

    (ada,) = customers
    assert ada.contact.consent(Channel.SMS, Purpose.MARKETING) is ConsentStatus.DENIED
    assert [(one.channel, one.address, one.mark.cause) for one in customers.suppression_changes] == [
        (Channel.SMS, "+12015550123", Cause.STOP)
    ]
    assert list(ada.profile.activity) == ["message.replied"]  # the rest waits for the redrive


def test_a_start_is_not_heard_by_halves(process: ProcessEvent, customers: Customers) -> None:
    process(reply("STOP", address="+12015550123"), MONDAY)
    changes = list(customers.suppression_changes)
    customers.is_too_large_for("start")

    with pytest.raises(ServiceRefusedError):
        process(replace(reply("START", address="+12015550123"), id="start"), MONDAY)

    (ada,) = customers
    assert ada.contact.consent(Channel.SMS, Purpose.MARKETING) is ConsentStatus.DENIED
    assert customers.suppression_changes == changes


@pytest.mark.parametrize("more", [{"reply_to": "SM1"}, {}], ids=["named", "the-last-one-sent"])
def test_a_reply_is_matched_to_the_message_that_it_answers(
    process: ProcessEvent, customers: Customers, sent_before: Sent, more: dict[str, str]
) -> None:
    sent_before |= {"SM1": "enr-hello-1", "": "enr-hello-1"}

    process(reply("Yes please", **more), MONDAY)

    committed = customers.commits[-1].event
    assert committed is not None
    assert committed.properties["message_id"] == "enr-hello-1"
    assert (committed.properties["enrollment"], committed.properties["step"]) == ("enr", "hello")


@pytest.mark.parametrize(
    ("status", "type_"),
    [
        (MessageStatus.DELIVERED, "message.auto_replied"),
        (MessageStatus.OPENED, "message.auto_replied"),
        (MessageStatus.SENT, "message.bounced"),
        (MessageStatus.BOUNCED, "message.bounced"),
        (None, "message.bounced"),
    ],
)
def test_what_may_be_an_automatic_answer_is_one_where_the_message_was_delivered(
    process: ProcessEvent, customers: Customers, sent_before: Sent, status: MessageStatus | None, type_: str
) -> None:
    sent_before |= {"ses-1": "enr-hello-1"}
    sent_before.statuses |= {"enr-hello-1": status} if status else {}
    about = {"provider_message_id": "ses-1", "channel": "email", "perhaps_auto_reply": True}

    process(event("message.bounced", source="feedback", properties=about), MONDAY)

    committed = customers.commits[-1].event
    assert committed is not None
    assert committed.type == type_


def test_a_bounce_after_the_delivery_stays_one(process: ProcessEvent, customers: Customers, sent_before: Sent) -> None:
    sent_before.statuses["enr-hello-1"] = MessageStatus.DELIVERED

    process(event("message.bounced", source="feedback", properties={"message_id": "enr-hello-1"}), MONDAY)

    committed = customers.commits[-1].event
    assert committed is not None
    assert committed.type == "message.bounced"


BOOKING = journey(send("ticket"), entry={"event": "booking.made", "key": "event.properties.booking"}, journey="booking")


def books(number: int, when: timedelta = timedelta()) -> Event:
    return event("booking.made", MONDAY + when, id_=f"b-{number}@{when}", properties={"booking": f"b-{number}"})


def test_a_booking_that_comes_again_after_many_others_sends_no_second_ticket(
    process: ProcessEvent, customers: Customers
) -> None:
    process = replace(process, journeys=Deployed(BOOKING))
    process(books(0), MONDAY)
    customers.forget_entries()

    again = process(books(0, when=DAY), MONDAY + DAY)
    other = process(books(1, when=DAY), MONDAY + DAY)

    assert again is not None
    assert other is not None
    assert sent(again) == []
    assert sent(other) == ["ticket"]


def test_other_writers_get_time_between_the_attempts(process: ProcessEvent, customers: Customers) -> None:
    attempts = Attempts()
    customers.somebody_is_faster(times=3)

    replace(process, attempts=attempts)(event("trial.signup"), MONDAY)

    assert attempts.pauses == [1, 2, 3]


def test_an_event_with_more_names_than_count_drops_the_weakest(process: ProcessEvent) -> None:
    who = name(user_id="ada") + tuple(Identifier(f"external:s{number:02}", "ada") for number in range(40))

    reaction = replace(process, policy=Policy(max_identifiers=MAX_NAMES))(event("trial.signup", who=who), MONDAY)

    assert reaction is not None
    assert len(reaction.customer.profile.identifiers) == MAX_NAMES
    assert len([fact for fact in reaction.facts if fact.detail.get("reason") == "too_many_identifiers"]) == 11
