"""Everything that can go wrong and is ours to name. Messages say what to do, and carry no personal data."""

from collections.abc import Iterable


class CairnError(Exception):
    """The root of Cairn's errors; `retryable` says whether the same call may succeed later."""

    retryable = False


class InvalidEventError(CairnError):
    """A document is not a canonical event; `problems` names every field that is wrong."""

    def __init__(self, problems: Iterable[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(self.problems))


class UnknownSourceError(CairnError):
    """A webhook came to a source that this deployment does not have."""


class BodyTooLargeError(CairnError):
    """A webhook's body is over the limit; nothing of it was read."""


class MalformedBodyError(CairnError):
    """A webhook's body is genuine but not what its source sends (not JSON, say)."""


class SignatureMissingError(CairnError):
    """A webhook carries no signature in the header where its vendor puts one."""


class SignatureInvalidError(CairnError):
    """A webhook's signature, or the time signed with it, does not hold."""


class UnsignableError(CairnError):
    """A sample cannot be signed: nobody but its vendor holds the key."""


class SecretMissingError(CairnError):
    """No secret is stored for a source, so nothing from it can be trusted yet."""


class LinkInvalidError(CairnError):
    """A link of a message was cut short or altered, or was never one of ours."""


class LinkExpiredError(CairnError):
    """A link of a message is genuine, but older than it may be."""


class DuplicateEventError(CairnError):
    """An event was committed before; there is nothing left to do."""


class ConflictError(CairnError):
    """Somebody else committed first; load the customer again and decide anew."""

    retryable = True


class UnknownCustomerError(CairnError):
    """Something names a customer that the table does not hold (any more)."""


class ErasedCustomerError(UnknownCustomerError):
    """Something is about a customer who was erased since; it is dropped, and nothing of it is kept."""


class UnknownMessageError(CairnError):
    """Somebody names a message of which nothing is recorded (any more)."""


class AmbiguousNameError(CairnError):
    """A name leads to several customers; the message lists their ids."""


class NotUnderReviewError(CairnError):
    """A message does not wait for the decision that somebody wants to make on it; the message says why."""


class NotSignedInError(CairnError):
    """A call that only people of ours may make comes from nobody who is known."""


class InvalidRequestError(CairnError):
    """What an operator asks for cannot be understood; `problems` names everything that is wrong."""

    def __init__(self, problems: Iterable[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(self.problems))


class UnknownJourneyError(CairnError):
    """An enrollment names a journey version that is neither deployed nor kept in the table."""


class ClaimedElsewhereError(CairnError):
    """Another delivery of the same message is under way; come back when its lease is over."""

    retryable = True


class ServiceBusyError(CairnError):
    """An AWS service is throttling or out of order; the same call may succeed later."""

    retryable = True


class ServiceRefusedError(CairnError):
    """An AWS service refuses a call for what is in it; trying again changes nothing. `code` is its word for why."""

    def __init__(self, service: str, code: str) -> None:
        self.code = code
        super().__init__(f"{service} refused the call: {code}")


class ProviderBusyError(CairnError):
    """A provider declined for now (throttled, or out of order) and has certainly sent nothing."""

    retryable = True


class ProviderRejectedError(CairnError):
    """A provider will never accept this message; `code` is its own word for why."""

    def __init__(self, code: str) -> None:
        self.code = code
        super().__init__(f"the provider rejected the message: {code}")


class WebhookEndpointError(CairnError):
    """A subscriber cannot be told, and will not be until somebody mends it; the message says what."""


class WebhookUnreachableError(CairnError):
    """A subscriber did not answer; it may later."""

    retryable = True


class TemplateError(CairnError):
    """A template cannot be rendered with what the message carries; nothing half-filled is ever sent."""


class InvalidSwitchError(CairnError):
    """An order to stop, start, pause or resume cannot be carried out; the message says what can be."""


class MissingSettingError(CairnError):
    """A function asks for a setting that its environment does not hold."""
