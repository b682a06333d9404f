"""A number that two accounts share is texted only for the account that its STOP would reach."""

from cairn.application.events.relay_effects import message_of
from cairn.domain.customer.customer import on_event
from cairn.domain.customer.state import Customer
from cairn.domain.effects import SendMessage
from cairn.domain.shared.channels import Channel
from tests.unit.makers import MONDAY, Deployed, event, journey, name, profile, send, sent

NUMBER = "+14155550101"
WELCOME = journey(send("welcome", ["sms", "email"]))


def addresses(whose: tuple[str, str]) -> dict[Channel, str]:
    """Where a welcome goes, of an account whose identifiers are these, and which posted the number and an address."""
    user_id, phone = whose
    account = Customer(profile(f"c_{user_id}", who=name(user_id=user_id, phone=phone)))
    signup = event(
        "trial.signup", who=name(user_id=user_id, phone=NUMBER, email=f"{user_id}@example.com"), id_=f"signup-{user_id}"
    )
    reaction = on_event(account, signup, Deployed(WELCOME), MONDAY)
    assert sent(reaction) == ["welcome"]
    (effect,) = [one for one in reaction.effects if isinstance(one, SendMessage)]
    after = reaction.customer
    return dict(message_of(effect, after.profile, after.enrollments[effect.enrollment], MONDAY).addresses)


def test_the_account_that_owns_the_number_is_texted() -> None:
    assert addresses(("ann", NUMBER))[Channel.SMS] == NUMBER


def test_the_other_account_is_not_texted_because_its_stop_would_be_lost() -> None:
    found = addresses(("bob", ""))

    assert Channel.SMS not in found
    assert found[Channel.EMAIL] == "bob@example.com"
