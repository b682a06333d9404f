"""Cairn's errors. A message says what to do, and carries no personal data."""

from collections.abc import Iterable


class CairnError(Exception):
    """The root of Cairn's errors; where `retryable` is true, the same call may succeed later."""

    retryable = False


class InvalidEventError(CairnError):
    """A document is not a canonical event; `problems` names every field that is wrong."""

    def __init__(self, problems: Iterable[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(self.problems))


class NotACustomerError(CairnError):
    """A provider's event is about a sender that is no customer: a short code, or the name of a business."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(f"the sender is no customer: {reason}")


class UnknownSourceError(CairnError):
    """A webhook is addressed to a source that this deployment does not have."""


class BodyTooLargeError(CairnError):
    """A webhook's body is over the limit, and was not read."""


class NoGuessError(CairnError):
    """A model has not read a reply; the message says what it did instead."""


class UnsupportedEncodingError(CairnError):
    """A webhook's body is compressed in a way that is not read; the message names those that are."""


class MalformedBodyError(CairnError):
    """A webhook's body is signed correctly, but is not what its source sends: not JSON, for example."""


class SignatureMissingError(CairnError):
    """A webhook lacks the header that carries its vendor's signature."""


class SignatureInvalidError(CairnError):
    """A webhook's signature is wrong, or its signed time is too old."""


class UnsignableError(CairnError):
    """A sample cannot be signed, because only its vendor has the key."""


class SecretMissingError(CairnError):
    """No secret is stored for a source, so its webhooks cannot be verified yet."""


class SecretUnusableError(SecretMissingError):
    """A secret is stored, but nothing in it may sign: it is too short, blank or no text."""


class LinkInvalidError(CairnError):
    """A link was shortened or changed, or was not made by this deployment."""


class LinkExpiredError(CairnError):
    """A link is genuine, but has expired."""


class InAppTokenError(CairnError):
    """A request for an in-app inbox has no token that opens one now."""


class DuplicateEventError(CairnError):
    """The event was committed before, so there is nothing to do."""


class ConflictError(CairnError):
    """Another writer committed first: load the customer and decide again."""

    retryable = True


class UnknownCustomerError(CairnError):
    """The table has no such customer, or has it no longer."""


class UnknownReferenceError(UnknownCustomerError):
    """An event names nobody, and what it refers to was seen with nobody yet: what names the customer may be late."""

    retryable = True


class ErasedCustomerError(UnknownCustomerError):
    """The customer has been erased: drop the event or message, and store nothing of it."""


class UnknownIdentifierError(CairnError):
    """The customer has no such identifier."""


class UnknownMessageError(CairnError):
    """The table has no record of such a message, or has it no longer."""


class AmbiguousNameError(CairnError):
    """A name belongs to several customers; the message lists their ids."""


class NotMergedError(CairnError):
    """Two customers cannot be merged; the message says why, and what to do."""


class NoReportError(CairnError):
    """There is no report yet, or none any more."""


class NotAllowedError(CairnError):
    """A person's message would never go out; the error's text says why."""


class NotUnderReviewError(CairnError):
    """The message to approve or reject is not waiting for review; the error's text says why."""


class NotSignedInError(CairnError):
    """An operator's call carries no known identity."""


class RoleMissingError(CairnError):
    """An operator has no role that may do this; the message names those that may."""


class OrderRefusedError(CairnError):
    """Nothing would come of an operator's order about a customer; the message says why."""


class DeadLettersError(CairnError):
    """A dead-letter queue cannot be reached or does not exist; the message says what to do."""


class UnknownDealKeyError(CairnError):
    """Deals are not registered by this key; the message names those by which they are."""


class DealTakenError(CairnError):
    """Another partner has registered the deal."""


class InvalidRequestError(CairnError):
    """An operator's request is wrong; `problems` names every field that is."""

    def __init__(self, problems: Iterable[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(self.problems))


class InvalidTotalsError(CairnError):
    """Counts of an arm contradict each other, such as more conversions than customers."""


class InvalidPlanError(CairnError):
    """The plan of an analysis cannot be carried out; `problems` names every field that is wrong."""

    def __init__(self, problems: Iterable[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(self.problems))


class UnknownTaskError(CairnError):
    """No such task is on record; its customer may have been erased."""


class TaskClosedError(CairnError):
    """The task was closed by another choice before; the message names who made it."""


class TaskOwnedError(CairnError):
    """Another member has the task; the message names who."""


class UnknownMemberError(CairnError):
    """people.toml has no such member; the message names the nearest."""


class UnknownAudienceError(CairnError):
    """No audience of audiences.toml has this name."""


class UnknownBroadcastError(CairnError):
    """No broadcast has this id."""


class UnknownQueueError(CairnError):
    """people.toml has no such queue; the message names the nearest."""


class UnknownLineError(CairnError):
    """A call script has no such line, or nothing to reply to what the customer brings up."""


class LineSkippedError(CairnError):
    """A call script is not there yet, or a line that must be read was not; the message names it."""


class InvalidAnswerError(CairnError):
    """An answer at a line of a call script has the wrong type; the message says what to enter."""


class UnknownJourneyError(CairnError):
    """A journey version is neither deployed nor stored in the table."""


class ClaimedElsewhereError(CairnError):
    """Another sender is delivering the message now; try again when its lease is over."""

    retryable = True


class ServiceBusyError(CairnError):
    """A service, of AWS or of a vendor, throttles or is unavailable; the same call may succeed later."""

    retryable = True


class ServiceRefusedError(CairnError):
    """A service rejects the content of a call, so a retry fails too; `code` is the service's reason."""

    def __init__(self, service: str, code: str) -> None:
        self.code = code
        super().__init__(f"{service} refused the call: {code}")


class OutOfTimeError(CairnError):
    """Too little of the invocation is left to begin this."""

    retryable = True


class InvalidEffectError(CairnError):
    """An effect on its way cannot be read; the message names the field."""


class UnknownEnrollmentError(CairnError):
    """An effect belongs to an enrollment that is neither in its customer's state nor comes with it."""


class ProviderBusyError(CairnError):
    """A provider throttles or is unavailable, or the account may not send now; it has certainly sent nothing."""

    retryable = True


class AccountRefusedError(ProviderBusyError):
    """The account may not send now: it lacks money, a right or production access. `code` is the provider's reason."""

    def __init__(self, code: str) -> None:
        self.code = code
        super().__init__(f"the account may not send now: {code}")


class ProviderRejectedError(CairnError):
    """A provider will never accept this message; `code` is the provider's reason."""

    def __init__(self, code: str) -> None:
        self.code = code
        super().__init__(f"the provider rejected the message: {code}")


class NotHandedOverError(CairnError):
    """A message could not be handed to its provider, which has certainly got nothing; `code` names the error.

    It is a defect: mend it, then redrive the dead letter.
    """

    def __init__(self, code: str) -> None:
        self.code = code
        super().__init__(f"the message could not be handed to its provider: {code}")


class WebhookEndpointError(CairnError):
    """A delivery to a webhook endpoint fails until an operator corrects what the message names."""


class WebhookUnreachableError(CairnError):
    """A webhook endpoint did not answer; it may answer later."""

    retryable = True


class TemplateError(CairnError):
    """A template cannot be rendered with the message's data, so nothing is sent."""

    reason = "template"
    """As the message's record shows it."""


class ForeignLinkError(TemplateError):
    """A value is a link to a host that neither the template nor the journey nor the policy names."""

    reason = "foreign_link"


class TextTooLongError(TemplateError):
    """A text has more parts than its template allows."""

    reason = "too_long"


class NoLeadsError(CairnError):
    """A command is about stages or scores, and the deployment has no leads.toml."""


class StageRefusedError(CairnError):
    """A customer may not be moved to a stage; the message says why."""


class InvalidSwitchError(CairnError):
    """A command to stop, start, pause or resume has a wrong target or option; the message names the valid ones."""


class UnknownTargetError(InvalidSwitchError):
    """A command names a journey or another target that is not deployed, and that no customer is enrolled in."""


class AlreadySwitchedError(InvalidSwitchError):
    """The target is stopped or paused already; the message says since when and by whom."""


class MissingSettingError(CairnError):
    """A function's environment lacks a setting."""


class IdentityKeyError(CairnError):
    """The identity key is missing, unusable, or not the one that made the table's customer ids."""
