"""An enrollment keeps the version that it started with; deploying another version does not change it."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cairn.domain.shared.errors import CairnError

TIPS = Path("welcome/templates/tips.email.html")
JOURNEY = Path("welcome/journey.yaml")


@pytest.fixture
def edited(tmp_path: Path, short_journey: Path) -> Callable[..., Path]:
    """The short journey with one text replaced in one file."""

    def edit(file: Path, old: str, new: str) -> Path:
        folder = tmp_path / "journeys"
        shutil.copytree(short_journey, folder)
        text = (folder / file).read_text()
        assert old in text
        (folder / file).write_text(text.replace(old, new))
        return folder

    return edit


def test_an_enrolled_customer_gets_the_texts_of_the_version_it_started_with(story: Any, edited: Any) -> None:
    story.signs_up(1)

    story.deployment.deploy(edited(TIPS, "Three tips", "Four tips"))
    story.signs_up(2)
    story.passes("1d")

    mails = {one.address: one.text for one in story.sent() if one.channel == "email"}
    assert mails == {"mia.1@example.com": "Three tips", "mia.2@example.com": "Four tips"}


def test_an_enrolled_customer_takes_the_steps_of_the_version_it_started_with(story: Any, edited: Any) -> None:
    story.signs_up(1)

    story.deployment.deploy(edited(JOURNEY, "timeout: 2h", "timeout: 5h"))
    story.signs_up(2)
    story.passes("1d")

    mails = [(line["customer"], line["at"][11:16]) for line in story.timeline("message") if line["step"] == "tips"]
    assert mails == [("member-1", "16:00"), ("member-2", "19:00")]


def test_an_enrolled_customer_reacts_to_the_events_of_the_version_it_started_with(story: Any, edited: Any) -> None:
    story.signs_up(1)

    story.deployment.deploy(edited(JOURNEY, "event: visit.attended", "event: visit.booked"))
    story.happens("visit.attended", customer={"user_id": "member-1"})
    story.passes("1d")

    assert [line["outcome"] for line in story.timeline("ended")] == ["came"]


def test_a_removed_journey_continues_to_its_end(story: Any, edited: Any) -> None:
    story.signs_up(1)
    folder = edited(JOURNEY, "journey: welcome", "journey: hello")
    (folder / "welcome").rename(folder / "hello")

    story.deployment.deploy(folder)
    story.passes("1d")

    assert [line["step"] for line in story.timeline("message")] == ["hello", "tips"]
    assert [line["outcome"] for line in story.timeline("ended")] == ["completed"]


def test_a_customer_of_the_old_version_does_not_enter_the_new_one(story: Any, edited: Any) -> None:
    story.signs_up(1)
    story.passes("1d")

    story.deployment.deploy(edited(TIPS, "Three tips", "Four tips"))
    story.happens("trial.signup", "another-signup", customer={"user_id": "member-1"})
    story.passes("1d")

    assert len(story.timeline("entered")) == 1
    assert [line["reason"] for line in story.timeline("not_entered")] == ["re-entry"]


def test_a_journey_with_an_error_is_not_deployed(story: Any, edited: Any) -> None:
    with pytest.raises(CairnError, match="tips"):
        story.deployment.deploy(edited(TIPS, "profile.first_name", "profile.first_name | no_such_filter"))

    story.signs_up()
    story.passes("1d")

    assert len(story.sent()) == 2
