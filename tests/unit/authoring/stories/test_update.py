"""`replay --update` writes expectations that hold, and changes nothing else in the file."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authoring.stories.comparison import compare
from authoring.stories.document import read
from authoring.stories.update import CannotUpdateError, updated
from cairn.domain.shared.instants import duration_text, instant_to_wire

STARTS = datetime(2026, 3, 2, 14, tzinfo=UTC)
PATH = Path("mia.story.yaml")
HEAD = """\
# yaml-language-server: …
scenario: Mia — “signs up”
starts: 2026-03-02T14:00:00Z  # Monday
for: 3d
posts: [{at: 0s, event: {id: one, type: trial.signup, customer: {user_id: mia, email: ada@example.com}}}]
"""
TAIL = "# the end\n"


def entry(minutes: int, kind: str = "message", **fields: str) -> dict[str, Any]:
    at = instant_to_wire(STARTS + timedelta(minutes=minutes))
    return {"at": at, "kind": kind, "customer": "mia", "journey": "welcome"} | fields


def updated_text(text: str, happened: list[dict[str, Any]]) -> str:
    return updated(PATH, text, compare(read(PATH, text, ["track"]), happened), ["track"])


HAPPENED = [
    entry(0, step="hello", channel="sms", body="Hello Mia, welcome"),
    entry(20, step="tour", channel="email", subject="Your tour: #1", body="<p>See</p>"),
    entry(30, "suppressed", step="offer", reason="no_consent", channel="sms"),
]

WRITTEN = """\
expect:
  # she is greeted
  - {at: 0s, kind: message, step: hello, contains: Hello}   # at once
  # and shown around

  - at: 25m  # a little later
    kind: message
    step: tour
    channel: sms
  - {at: 1h, kind: task, step: call}
  # that is all
orders: []
"""


def test_only_what_is_no_longer_met_changes() -> None:
    new = updated_text(HEAD + WRITTEN + TAIL, HAPPENED)

    assert (
        new
        == HEAD
        + (
            "expect:\n"
            "  # she is greeted\n"
            "  - {at: 0s, kind: message, step: hello, contains: Hello}   # at once\n"
            "  # and shown around\n"
            "\n"
            "  - at: 20m  # a little later\n"
            "    kind: message\n"
            "    step: tour\n"
            "    channel: email\n"
            "  - {at: 30m, kind: suppressed, step: offer, channel: sms, reason: no_consent}\n"
            "  # that is all\n"
            "orders: []\n"
        )
        + TAIL
    )


@pytest.mark.parametrize("expect", ["", "expect: []\n", "expect: [{at: 9m, kind: task}]  # none\n"])
def test_a_story_without_expectations_gets_them(expect: str) -> None:
    lines = [
        "  - {at: 0s, kind: message, step: hello, channel: sms}",
        '  - {at: 20m, kind: message, step: tour, channel: email, subject: "Your tour: #1"}',
        "  - {at: 30m, kind: suppressed, step: offer, channel: sms, reason: no_consent}",
    ]
    text = HEAD + expect + TAIL

    new = updated_text(text, HAPPENED)

    assert new.startswith(HEAD)
    assert [line.removesuffix("  # none") for line in new.splitlines() if line.startswith("  - ")] == lines
    assert "# the end\n" in new


def test_a_text_that_is_gone_becomes_the_text_of_today() -> None:
    text = HEAD + "expect:\n  - {at: 0s, kind: message, contains: [Hello, Goodbye]}\n"

    new = updated_text(text, HAPPENED[:1])

    assert new == HEAD + 'expect:\n  - {at: 0s, kind: message, contains: [Hello, "Hello Mia, welcome"]}\n'


def test_an_instant_stays_an_instant() -> None:
    text = HEAD + 'expect:\n  - {at: "2026-03-02T15:00:00Z", kind: message, step: hello}\n'

    assert '{at: "2026-03-02T14:00:00Z", kind: message, step: hello}' in updated_text(text, HAPPENED[:1])


def test_the_last_expectation_may_go() -> None:
    text = HEAD + "expect:\n  # nothing\n  - {at: 1h, kind: task}\n" + TAIL

    assert updated_text(text, []) == HEAD + "expect: []\n  # nothing\n" + TAIL


def test_aliases_are_refused_with_a_message() -> None:
    text = HEAD + "expect:\n  - &one {at: 0s, kind: message, step: hello}\n  - *one\n"

    with pytest.raises(CannotUpdateError, match=r"mia\.story\.yaml:\d+: write the items of `expect` out"):
        updated_text(text, HAPPENED)


TEXTS = st.sampled_from(["hello", "offer-2", "true", "7", "a: b", "# no", "“ja”", "12:30", "it's"])
ENTRIES = st.lists(
    st.builds(
        entry,
        st.integers(0, 3000),
        st.sampled_from(["message", "suppressed", "task", "ended"]),
        step=TEXTS,
        subject=TEXTS,
        customer=st.sampled_from(["mia", "ada@example.com"]),
    ),
    max_size=5,
).map(lambda entries: sorted(entries, key=lambda one: one["at"]))


@st.composite
def files(draw: st.DrawFn) -> str:
    """A story whose items are written on one line or several, with comments wherever one may stand."""
    text = HEAD + "expect:\n"
    items = draw(ENTRIES.filter(bool))
    for number, one in enumerate(items):
        at = duration_text(datetime.fromisoformat(one["at"]) - STARTS)
        more = draw(st.sampled_from([(), (("step", one["step"]),), (("contains", one["subject"]),)]))
        fields = [("at", at), ("kind", one["kind"]), *((name, repr_(value)) for name, value in more)]
        written = [f"{name}: {value}" for name, value in fields]
        text += f"  # item {number}\n" if draw(st.booleans()) else ""
        if draw(st.booleans()):
            text += f"  - {{{', '.join(written)}}}" + draw(st.sampled_from(["", "  # a comment"])) + "\n"
        else:
            text += "  - " + "\n    ".join(written) + "\n"
        text += draw(st.sampled_from(["", "\n", "  # behind\n"]))
    return text + draw(st.sampled_from(["", TAIL, "orders: []\n"]))


def repr_(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


@given(files(), ENTRIES)
def test_whatever_a_file_expects_is_met_afterwards_and_all_comments_are_there(
    text: str, happened: list[dict[str, Any]]
) -> None:
    new = updated_text(text, happened)

    assert compare(read(PATH, new, ["track"]), happened).difference == ""
    assert updated_text(new, happened) == new
    assert new.startswith(HEAD)
    assert [line for line in new.splitlines() if line.lstrip().startswith("#")] == [
        line for line in text.splitlines() if line.lstrip().startswith("#")
    ]
    if compare(read(PATH, text, ["track"]), happened).difference == "":
        assert new == text
