"""The pages of requests that nothing came of."""

from collections.abc import Mapping

from cairn.adapters.http.problems import UNAVAILABLE, status_of
from cairn.adapters.pages.render import Page, Pages
from cairn.adapters.pages.texts import texts_for
from cairn.domain.shared.errors import (
    BodyTooLargeError,
    CairnError,
    LinkExpiredError,
    LinkInvalidError,
    MalformedBodyError,
)

PROBLEM_PAGES: Mapping[type[CairnError], str] = {
    LinkInvalidError: "invalid",
    LinkExpiredError: "expired",
    BodyTooLargeError: "unreadable",
    MalformedBodyError: "unreadable",
}
BUSY = "busy"
"""The page for every other error."""


def refusal(pages: Pages, accept_language: str, error: CairnError) -> tuple[str, Page]:
    """The reason in one word, and the page that says what to do."""
    reason = PROBLEM_PAGES.get(type(error), BUSY)
    status, _ = (UNAVAILABLE, BUSY) if reason == BUSY else status_of(error, BUSY)
    return reason, pages.problem(texts_for(accept_language), reason, status)
