"""Strategies of hypothesis: payloads, profiles, triggers, and journeys nested as people nest them."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, assert_never
from zoneinfo import available_timezones

from hypothesis import strategies as st

from cairn.adapters.documents.journey import journey_from_document
from cairn.domain.consent.changes import STATED, ConsentChange
from cairn.domain.customer.state import OLDER_ENTRIES, OLDER_MERGES, Customer
from cairn.domain.event import Event
from cairn.domain.identity.identifiers import EMAIL, PHONE, USER_ID, Identifier, strongest_first
from cairn.domain.identity.references import Reference
from cairn.domain.journey.definition import Journey
from cairn.domain.journey.enrollment import Enrollment, Status
from cairn.domain.journey.steps import StepKind
from cairn.domain.profile.attributes import READ_BY_CAIRN
from cairn.domain.profile.lead import NO_LEAD, Lead, Move, Points, Spent
from cairn.domain.profile.profile import Activity, Profile
from cairn.domain.profile.stamped import Stamped
from cairn.domain.shared.channels import Channel, Purpose
from tests.unit.makers import MONDAY

EVENTS = ("invoice.paid", "visit.attended")
"""Few, so that journeys and events meet often."""

DATES = (
    "2026-03-03T09:00:00Z",
    "2026-03-08T02:30:00",  # a time that New York skips
    "2026-03-05",
    "2026-02-01T09:00:00Z",
    "0001-01-01T00:00:00+14:00",
    "9999-12-31T23:59:59-12:00",
    "9990-12-31",
    1772700000,
    1772700000000,
    -1e300,
    float("inf"),
    float("nan"),
)
CLOCKS = ("18:30", "24:00", "T07", "7", "09:00+02:00")
ZONES = ("America/New_York", "Asia/Kathmandu", "Nowhere/Land", "", "../../etc/passwd", "America", "\0", "UTC")
ODD = (*DATES, *CLOCKS, *ZONES, "a", "\ud800", 10**400, ["vip"], {"vip": False})

scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.sampled_from(ODD)
json_values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)
payloads = st.fixed_dictionaries(
    {"key": st.sampled_from(["b-1"] * 9 + ["b-2", "\ud800", 10**400, None])},
    optional={"at": st.sampled_from(DATES) | json_values} | dict.fromkeys(["a", "b", "tags"], json_values),
)
"""Mostly about the same booking: otherwise few events would match."""
attributes = st.dictionaries(
    st.sampled_from(["a", "b", "at", "time_zone", "tags", "email", "phone", "push_endpoint"]),
    json_values,
    max_size=4,
)

instants = st.datetimes(
    min_value=datetime(2026, 2, 25),  # noqa: DTZ001  hypothesis adds the zone itself
    max_value=datetime(2026, 4, 5),  # noqa: DTZ001
    timezones=st.just(UTC),
)
few_instants = st.integers(0, 5).map(lambda hours: MONDAY + timedelta(hours=hours))
"""So few that ties are common."""

zones = st.sampled_from(sorted(available_timezones()))

identifiers = st.lists(
    st.builds(
        Identifier,
        st.sampled_from([USER_ID, EMAIL, PHONE, "external:stripe", "external:crm"]),
        st.sampled_from(["a@x.org", "b@x.org", "1", "2"]),
    ),
    max_size=3,
).map(strongest_first)

consent_changes = st.builds(
    ConsentChange,
    st.sampled_from(Channel),
    st.sampled_from(Purpose),
    st.sampled_from(sorted(STATED)),
    few_instants,
    st.sampled_from(["form", "reply"]),
    st.dictionaries(st.sampled_from(["wording", "ip"]), st.sampled_from(["x", "y"]), max_size=1),
)

profiles = st.builds(
    Profile,
    id=st.sampled_from(["c_a", "c_b", "c_c"]),
    created_at=few_instants,
    identifiers=identifiers,
    attributes=st.dictionaries(
        st.sampled_from(["a", "b", "at", "time_zone", "tags.vip"]), st.builds(Stamped, json_values, few_instants)
    ),
)


references = st.builds(Reference, st.sampled_from(["order", "payment"]), st.sampled_from(["1", "2"]))


def events(
    types: st.SearchStrategy[str] | None = None,
    when: st.SearchStrategy[datetime] = instants,
    properties: st.SearchStrategy[dict[str, Any]] = payloads,
    stated: st.SearchStrategy[dict[str, Any]] = attributes,
) -> st.SearchStrategy[Event]:
    return st.builds(
        Event,
        id=st.uuids().map(str),
        source=st.just("track"),
        type=types or st.sampled_from((*EVENTS, *EVENTS, *EVENTS, "trial.signup", "booking.cancelled")),
        occurred_at=when,
        identifiers=identifiers,
        references=st.lists(references, max_size=2, unique=True).map(tuple),
        properties=properties,
        attributes=stated,
        consent=st.lists(consent_changes, max_size=2).map(tuple),
    )


durations = st.sampled_from(["0s", "1s", "30m", "2h", "1d", "2d12h", "2w"])
offsets = durations | durations.map("-".__add__)
conditions = st.sampled_from(
    [
        "data.a",
        "event.properties.b == `1`",
        "seen('invoice.paid')",
        "count('visit.attended') > `1`",
        "days_since('trial.signup') > `1`",
        "hours_until(data.at) > `3`",
        "days_since(profile.at) < `3`",
        "ceil(to_number(data.a)) > `1`",
        "avg(data.a) > `1`",
        "contains(profile.tags, 'vip')",
        "contains(data.a, data.b)",
        "length(data.a)",
        "data.a[::0]",
        "sort_by(data.a, &b)",
        "seen_since('invoice.paid', data.at)",
        "enrollment.key",
        "enrollment.values.a",
    ],
)
values = st.sampled_from(["data.a", "data.b", "data.at", "event.properties.a", "profile.at", "profile", "data"])
lengths = st.sampled_from(["2h", "1d", "2d12h"])
NINE_TO_FIVE, NEVER = [[540, 1020]], list[list[int]]()
calendars = st.fixed_dictionaries(
    {"hours": st.sampled_from([[NINE_TO_FIVE] * 5 + [NEVER] * 2, [NEVER] * 6 + [[[0, 90], [1410, 1440]]]])},
    optional={"closed": st.just(["2026-03-03", "2026-03-08"]), "zone": st.sampled_from(["Asia/Kathmandu"])},
)
clock_times = st.fixed_dictionaries(
    {"at": st.sampled_from(["10:00", "02:30", "23:59"])},
    optional={
        "at_from": values,
        "day": st.integers(0, 20),
        "weekdays": st.sampled_from([["mon"], ["tue", "sat"], ["sun"]]),
        "spread": lengths,
        "open": calendars,
    },
)
dates = st.fixed_dictionaries({"until": st.just("data.at") | values}, optional={"offset": offsets})
delays = st.fixed_dictionaries({"for": durations}, optional={"spread": lengths})
openings = st.fixed_dictionaries({"open": calendars}, optional={"for": lengths, "spread": lengths})
moments = lengths | lengths | durations | delays | openings | clock_times | dates | dates


@st.composite
def rules(draw: st.DrawFn, types: tuple[str, ...] = EVENTS) -> dict[str, Any]:
    rule = {"event": draw(st.sampled_from(types))}
    rule |= {"where": draw(conditions)} if draw(st.integers(0, 3)) == 0 else {}
    key = draw(st.sampled_from(["", "", "any", "event.properties.key"]))
    return rule | ({"key": key} if key else {})


missed = st.sampled_from(["continue", "skip", "exit"])
invites = st.fixed_dictionaries(
    {"starts": st.sampled_from(["data.date", "profile.date", "data.nothing"]), "lasts": st.just("1h")},
    optional={"if_past": missed, "if_unreadable": missed},
) | st.just({"cancel": True})


@st.composite
def chains(draw: st.DrawFn, prefix: str, depth: int, least: int = 0) -> list[dict[str, Any]]:
    """Steps that follow one another; those of its paths are nested in a step, as in a journey file."""
    kinds: list[StepKind] = ["send", "wait", "task", "update", "set", "emit"]
    kinds += ["wait_for", "wait_for", "wait_for", "branch", "split", "webhook", "exit"] if depth else []
    chosen = draw(st.lists(st.sampled_from(kinds), min_size=least, max_size=4))
    return [
        {"id": f"{prefix}{number}", kind: draw(_step(f"{prefix}{number}", kind, depth - 1))}
        for number, kind in enumerate(chosen)
    ]


@st.composite
def _step(draw: st.DrawFn, id_: str, kind: StepKind, depth: int) -> Any:  # noqa: C901, PLR0911, PLR0912  one return a kind
    match kind:
        case "send":
            channels = draw(st.lists(st.sampled_from(["sms", "email", "push"]), min_size=1, max_size=2))
            sent = {"channel": channels, "template": "hello", "purpose": draw(st.sampled_from(Purpose)).value}
            return sent | ({"invite": draw(invites)} if "email" in channels and draw(st.booleans()) else {})
        case "wait":
            moment = draw(moments)
            if isinstance(moment, dict) and moment.keys() & {"at", "until"}:
                moment = moment | {"if_past": draw(st.sampled_from(["continue", "skip", "exit"]))}
            if isinstance(moment, dict) and "until" in moment:
                moment = moment | {"if_unreadable": draw(st.sampled_from(["continue", "skip", "exit"]))}
            return moment
        case "wait_for":
            return draw(what_is_waited_for(id_, depth)) | {
                "timeout": draw(moments),
                "else": draw(chains(f"{id_}e", depth)),
            }
        case "branch":
            arms: list[dict[str, Any]] = [
                {"if": draw(conditions), "then": draw(chains(f"{id_}{arm}", depth))} for arm in "ab"
            ]
            return [*arms, {"else": draw(chains(f"{id_}c", depth))}]
        case "split":
            weights = draw(st.lists(st.sampled_from([0, 1, 2.5, 70]), min_size=2, max_size=3).filter(any))
            arms = [
                {"arm": f"arm-{arm}", "weight": weight, "then": draw(chains(f"{id_}{arm}", depth))}
                for arm, weight in zip("abc", weights, strict=False)
            ]
            winner = draw(st.sampled_from([{}, {"winner": {"by": "rule", "after": 50}}]))
            return {"arms": arms} | winner | ({"salt": "spring"} if draw(st.booleans()) else {})
        case "task":
            asked = {"queue": "sales", "title": "Call", "context": {"what": draw(values)}}
            if depth < 0 or draw(st.booleans()):
                return asked
            then = {outcome: draw(chains(f"{id_}{outcome[0]}", depth)) for outcome in ("booked", "lost")}
            return asked | {"at_most": draw(lengths), "then": then, "else": draw(chains(f"{id_}e", depth))}
        case "update":
            return {"set": {"stage": "x"}, "set_from": {"a": draw(values)}, "tags": {"add": ["vip"]}}
        case "set":
            return {"a": draw(values), "b": draw(conditions)}
        case "emit":
            named = draw(st.sampled_from([{}, {"customer": {"email": draw(values)}}]))
            return {"event": draw(st.sampled_from(EVENTS)), "properties": {"a": draw(values)}} | named
        case "webhook":
            answer = {"a": "answer.a", "b": "answer"}
            failed = draw(chains(f"{id_}e", depth))
            return {"endpoint": "crm", "body": {"a": draw(values)}, "answer": answer, "timeout": "2h", "else": failed}
        case "exit":
            return "enough"
        case _:
            assert_never(kind)


@st.composite
def what_is_waited_for(draw: st.DrawFn, id_: str, depth: int) -> dict[str, Any]:
    """One event, any of two or all of them."""
    form = draw(st.sampled_from(["one", "one", "any", "all"]))
    if form == "any":
        return {"any": [draw(rules()) | {"then": draw(chains(f"{id_}{one}", depth))} for one in "tu"]}
    several = draw(rules()) if form == "one" else {"all": [draw(rules()), draw(rules())]}
    return several | {"then": draw(chains(f"{id_}t", depth))}


@st.composite
def beginnings(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Mostly a wait, so that most enrollments last for a while."""
    rule = draw(what_is_waited_for("b", 1)) | {"timeout": draw(lengths), "else": draw(chains("be", 1))}
    patience = {"id": "b", "wait": draw(lengths | dates)}
    return draw(st.sampled_from([[], [patience], [{"id": "b", "wait_for": rule}], [{"id": "b", "wait_for": rule}]]))


@st.composite
def documents(draw: st.DrawFn, holdout: float = 0.0) -> dict[str, Any]:
    entry: dict[str, Any] = {"event": "trial.signup"}
    entry |= {"key": "event.properties.key"} if draw(st.booleans()) else {}
    if draw(st.booleans()):
        entry = {"any": [entry, {"event": "trial.renewed", "key": draw(st.sampled_from([None, "event.properties.a"]))}]}
    if draw(st.integers(0, 3)) == 0:
        entry = {"none_of": ["trial.signup", "visit.attended"], "for": draw(lengths), "where": "profile.a != `1`"}
    entry |= {"again": draw(st.sampled_from(["never", "when-ended", "2d"]))}
    entry |= draw(st.sampled_from([{}, {}, {"from": "2026-03-01", "until": "2026-03-20", "unless_in": ["other"]}]))
    document: dict[str, Any] = {
        "journey": "visit",
        "entry": entry,
        "steps": draw(beginnings()) + draw(chains("s", 2, least=1)),
        "holdout": holdout,
        "time_zone": draw(st.sampled_from(["UTC", "Europe/Paris", "Australia/Lord_Howe"])),
    }
    document |= {"goal": draw(rules()) | {"within": "30d"}} if draw(st.booleans()) else {}
    document |= {"exit_on": [draw(rules(("booking.cancelled",)))]} if draw(st.booleans()) else {}
    document |= {"refresh_on": [draw(rules())]} if draw(st.booleans()) else {}
    document |= {"finally": [{"id": "end", "update": {"set": {"ended": True}}}]} if draw(st.booleans()) else {}
    return document


def journeys(holdout: float = 0.0) -> st.SearchStrategy[Journey]:
    return documents(holdout).map(lambda document: journey_from_document(document, "v1"))


@st.composite
def edited(draw: st.DrawFn, steps: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The steps after work on them: some are removed, changed, added or put elsewhere."""
    done: list[dict[str, Any]] = []
    for step in steps:
        kind = draw(st.sampled_from(["keep"] * 6 + ["remove", "change", "add", "swap"]))
        if kind == "add":
            added = draw(st.sampled_from(["send", "wait", "task"]))
            done.append({"id": f"{step['id']}x", added: draw(_step(f"{step['id']}x", added, 0))})
        if kind != "remove":
            done.insert(len(done) - (kind == "swap" and bool(done)), draw(_edited_step(step, change=kind == "change")))
    return done


@st.composite
def _edited_step(draw: st.DrawFn, step: dict[str, Any], *, change: bool) -> dict[str, Any]:
    """The step, with the steps within it edited, and perhaps with another wait or timeout."""

    def again(value: Any, *, is_steps: bool = False) -> Any:
        if is_steps and isinstance(value, dict):  # by outcome
            return {outcome: draw(edited(steps)) for outcome, steps in value.items()}
        if is_steps:
            return draw(edited(value))
        if isinstance(value, dict):
            return {key: again(one, is_steps=key in {"then", "else"}) for key, one in value.items()}
        return [again(one) for one in value] if isinstance(value, list) else value

    step = {key: again(one) for key, one in step.items()}
    if change and "wait" in step:
        return {**step, "wait": draw(moments)}
    if change and "wait_for" in step:
        return {**step, "wait_for": step["wait_for"] | {"timeout": draw(moments)}}
    return step


names = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=6)
stored_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
) | st.integers(1, 900).map("x".__mul__)
"""Of any length, so that some fill a page. Equal to itself, as not-a-number is not."""

stored_stamps = st.builds(Stamped, stored_values, instants)
instants_by_name = st.dictionaries(names, instants, max_size=5)


leads = st.just(NO_LEAD) | st.builds(
    Lead,
    points=st.dictionaries(names, st.builds(Points, st.floats(-100, 100), st.integers(1), st.floats(0, 90), instants)),
    spent=st.dictionaries(names, st.builds(Spent, st.integers(0), st.integers(), st.integers(0), st.integers())),
    moves=st.dictionaries(
        names, st.lists(st.builds(Move, instants, names, names), min_size=1, max_size=3).map(sorted).map(tuple)
    ),
    marks=st.dictionaries(st.sampled_from(["first_touch", "hot"]), stored_stamps),
)


def stored_profiles(ids: st.SearchStrategy[str]) -> st.SearchStrategy[Profile]:
    """With all that is stored of a profile."""
    named = st.dictionaries(st.sampled_from([*READ_BY_CAIRN, "plan", "tags.vip", "a", "ü"]) | names, stored_stamps)
    many = st.builds(
        lambda number, one: {f"attribute-{each}": one for each in range(number)}, st.integers(0, 60), stored_stamps
    )
    typed = st.frozensets(st.sampled_from(["email:a@x.org", "attributes.plan"]))
    return st.builds(
        lambda profile, more: replace(profile, attributes={**profile.attributes, **more}),
        st.builds(
            Profile,
            id=ids,
            created_at=instants,
            identifiers=identifiers,
            typed=typed,
            pointers=st.dictionaries(names, names, max_size=2),
            attributes=named,
            activity=st.dictionaries(names, st.builds(Activity, st.integers(1), instants, instants), max_size=8),
            merged=instants_by_name,
            sources=instants_by_name,
            lead=leads,
        ),
        many,
    )


enrollments = st.builds(
    Enrollment,
    id=st.uuids().map(str),
    journey=st.sampled_from(["visit", "welcome"]),
    version=st.just("v1"),
    key=names | st.just(""),
    entered_at=instants,
    since=instants,
    data=st.dictionaries(names, stored_values, max_size=3),
    data_at=st.none() | instants,
    status=st.sampled_from(Status),
    step=st.none() | st.sampled_from(["hello", "wait"]),
    reached_at=st.none() | instants,
    due_at=st.none() | instants,
    moved_to=st.none() | instants,
    sequence=st.integers(0, 99),
    passed=st.sampled_from([(), ("hello",), ("bye", "hello")]),
    joined=st.sampled_from(["", "wait"]),
    handled=names | st.just(""),
    addresses=st.none() | st.dictionaries(st.sampled_from(Channel), names, max_size=2),
    goal_at=st.none() | instants,
    ended_at=st.none() | instants,
    outcome=st.sampled_from(["", "completed"]),
)

early_events = st.builds(
    Event,
    id=names,
    source=st.just("track"),
    type=st.sampled_from(EVENTS),
    occurred_at=instants,
    properties=st.dictionaries(names, stored_values, max_size=2),
)


@st.composite
def customers(draw: st.DrawFn, ids: st.SearchStrategy[str] = st.just("c_a")) -> Customer:  # noqa: B008
    """With all that is stored of a customer, but the contact."""
    early = {one.key: one for one in draw(st.lists(early_events, max_size=3))}.values()
    return Customer(
        draw(stored_profiles(ids)),
        enrollments={one.id: one for one in draw(st.lists(enrollments, max_size=5))},
        entered=draw(instants_by_name),
        early_exits=draw(instants_by_name),
        early_events=tuple(sorted(early, key=lambda one: (one.occurred_at, one.key))),
        early_refreshes=draw(st.dictionaries(names, stored_stamps, max_size=3)),
        erased=draw(instants_by_name),
        elsewhere=draw(st.frozensets(st.sampled_from([OLDER_ENTRIES, OLDER_MERGES]))),
        version=draw(st.integers(1, 99)),
    )
