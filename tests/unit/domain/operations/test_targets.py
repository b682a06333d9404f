"""Targets of stops and pauses: what is one, and which was meant."""

import pytest

from cairn.domain.operations.targets import CLOSED, check_target, near_target
from cairn.domain.shared.errors import InvalidSwitchError

KNOWN = [
    *CLOSED,
    *(f"country:{code}" for code in ("DE", "GB", "US")),
    *("journey:fitness-trial-to-paid", "journey:welcome", "template:welcome/hello", "template:visit/hello"),
]


@pytest.mark.parametrize(
    "text", ["all", "channel:whatsapp", "journey:welcome-2", "template:welcome/hello_1", "country:US", " all\n"]
)
def test_a_target_is_understood(text: str) -> None:
    assert check_target(text) == text.strip()


@pytest.mark.parametrize(
    "text",
    ["", "everything", "channel:fax", "channel:", "journey:", "journey:*", "template:hello", "country:us", "all all"],
)
def test_an_unknown_target_is_refused_with_the_known_ones(text: str) -> None:
    with pytest.raises(InvalidSwitchError) as refused:
        check_target(text)

    for name in ("all", "channel:<sms", "journey:", "template:<journey>/<template>", "country:"):
        assert name in str(refused.value)


@pytest.mark.parametrize(("text", "meant"), [("sms", "channel:sms"), ("channel:mail", "channel:email"), ("al", "all")])
def test_a_target_that_is_none_is_refused_with_the_one_that_was_meant(text: str, meant: str) -> None:
    with pytest.raises(InvalidSwitchError, match=f"did you mean {meant}\\?"):
        check_target(text)


@pytest.mark.parametrize(
    ("target", "meant"),
    [
        ("journey:fitness-trial-to-pai", "journey:fitness-trial-to-paid"),
        ("journey:wellcome", "journey:welcome"),
        ("template:welcome/helo", "template:welcome/hello"),
        ("template:wisit/hello", "template:visit/hello"),
        ("country:UK", "country:GB"),
        ("country:UA", "country:US"),
        ("journey:zzz", ""),
        ("template:zzz/yyy", ""),
        ("channel:zzz", ""),
    ],
)
def test_the_target_that_was_meant_is_of_the_same_kind(target: str, meant: str) -> None:
    assert near_target(target, KNOWN) == meant
