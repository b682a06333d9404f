"""Mailchimp: forms with long names, and a secret in the URL."""

from typing import Any

import pytest

from cairn.adapters.sources import sources
from cairn.domain.shared.errors import SignatureInvalidError, SignatureMissingError
from tests.unit.adapters.sources.conftest import NOW, SECRET


def test_the_secret_in_the_url_is_all_that_says_who_posts(take: Any) -> None:
    genuine = take("mailchimp/subscribe")
    url = genuine.request.url

    genuine.verify()

    assert url.endswith("?token=whsec_Y2Fpcm4tdmVuZG9yLXRlc3Rz")
    with pytest.raises(SignatureMissingError):
        genuine.changed(url=url.partition("?")[0]).verify()
    with pytest.raises(SignatureInvalidError):
        genuine.changed(url=url.replace(SECRET, "another-secret-of-16-bytes")).verify()


def test_a_local_time_of_mailchimp_is_utc(take: Any) -> None:
    [event] = take("mailchimp/subscribe").read().events

    assert event.occurred_at.isoformat() == "2026-03-09T14:00:00+00:00"


def test_a_contact_speaks_for_nobody_else_until_the_deployment_says_so(take: Any, tmp_path: Any) -> None:
    configuration = tmp_path / "sources.toml"
    configuration.write_text("[mailchimp.vouched]\nemail = true\nconsent = true\n", encoding="utf-8")
    typed = take("mailchimp/subscribe")

    [by_default] = typed.read().events
    [double_opt_in] = sources(configuration)["mailchimp"].read(typed.request, NOW).events

    assert (by_default.vouches("email"), by_default.vouches("consent")) == (False, False)
    assert (double_opt_in.vouches("email"), double_opt_in.vouches("consent")) == (True, True)


@pytest.mark.parametrize(
    ("name", "statuses"),
    [
        ("subscribe", ["granted"]),
        ("unsubscribe", ["denied"]),
        ("unsubscribe_as_spam", ["denied"]),
        ("unsubscribe_deleted", []),
        ("cleaned", []),
        ("cleaned_as_spam", ["denied"]),
        ("profile", []),
        ("upemail", []),
    ],
)
def test_only_the_customers_own_word_changes_a_consent(name: str, statuses: list[str], take: Any) -> None:
    [event] = take(f"mailchimp/{name}").read().events

    assert [str(change.status) for change in event.consent] == statuses


def test_a_denial_whose_action_is_missing_is_a_denial(post: Any) -> None:
    document = {"type": "unsubscribe", "data[email]": "mia@example.com"}

    [event] = post("mailchimp", document).read().events

    assert [str(change.status) for change in event.consent] == ["denied"]
