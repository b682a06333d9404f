"""Recognises STOP, HELP and START in a customer's reply, and a STOP in the customer's own words (refusals.py).

Sources: the opt-out words of AWS End User Messaging (docs.aws.amazon.com/sms-voice, "Required opt-out keywords");
the words that are revocation by themselves under 47 CFR 64.1200(a)(10); CTIA Messaging Principles, 5.1.3. AWS's list
lacks REVOKE and OPT OUT in two words, so a deployment that leaves keywords to AWS alone would miss them.
"""

from collections.abc import Iterable, Iterator, Mapping
from enum import StrEnum

from cairn.domain.consent.plain_words import plain_text


class Intent(StrEnum):
    STOP = "stop"
    HELP = "help"
    START = "start"


EVENT_TYPES: Mapping[Intent, str] = {
    Intent.STOP: "message.stopped",
    Intent.HELP: "message.helped",
    Intent.START: "message.started",
}
"""The event type that replaces `message.replied`: a STOP is no answer to a journey's question."""

ALWAYS = {
    Intent.STOP: (
        "stop",
        "stopall",
        "optout",
        "opt out",
        "unsubscribe",
        "revoke",
        "cancel",
        "end",
        "quit",
        "remove",
        "td",
    ),
    Intent.HELP: ("help", "info"),
    Intent.START: ("start", "unstop"),
}
"""English keywords, which carriers recognise everywhere."""

WORDS: Mapping[str, Mapping[Intent, tuple[str, ...]]] = {
    "de": {
        Intent.STOP: ("stopp", "abmelden", "abbestellen", "kuendigen", "kundigen", "widerruf", "abmeldung"),
        Intent.HELP: ("hilfe",),
        Intent.START: ("anmelden",),
    },
    "en": ALWAYS,
    "es": {
        Intent.STOP: ("alto", "baja", "cancelar", "parar", "salir", "desuscribir", "desuscripcion"),
        Intent.HELP: ("ayuda",),
        Intent.START: ("alta",),
    },
    "fr": {
        Intent.STOP: ("arret", "arreter", "arretez", "desabonner", "desabonnement", "desinscription", "desinscrire"),
        Intent.HELP: ("aide",),
        Intent.START: ("reprendre",),
    },
    "hi": {
        Intent.STOP: ("band karo", "roko", "\u092c\u0902\u0926 \u0915\u0930\u094b", "\u0930\u094b\u0915\u094b"),
        Intent.HELP: ("madad", "sahayata", "\u092e\u0926\u0926", "\u0938\u0939\u093e\u092f\u0924\u093e"),
        Intent.START: (
            "shuru",
            "shuru karo",
            "\u0936\u0941\u0930\u0942",
            "\u0936\u0941\u0930\u0942 \u0915\u0930\u094b",
        ),
    },
    "it": {
        Intent.STOP: ("ferma", "annulla", "disiscrivi", "disiscrizione"),
        Intent.HELP: ("aiuto",),
        Intent.START: ("inizia",),
    },
    "nl": {Intent.STOP: ("afmelden", "uitschrijven"), Intent.HELP: ("hulp",), Intent.START: ("aanmelden",)},
    "pt": {
        Intent.STOP: ("parar", "sair", "cancelar", "descadastrar"),
        Intent.HELP: ("ajuda",),
        Intent.START: ("iniciar",),
    },
}
"""By ISO 639-1 code of the language, as `plain_text` writes them: in lower case without accents."""

YES = {
    "de": ("ja",),
    "en": ("yes", "y"),
    "es": ("si",),
    "fr": ("oui",),
    "hi": ("haan", "han", "ji haan", "\u0939\u093e\u0901", "\u0939\u093e\u0902", "\u091c\u0940 \u0939\u093e\u0901"),
    "it": ("si",),
    "nl": ("ja",),
    "pt": ("sim",),
}
"""Replies that confirm an opt-in (CTIA Messaging Principles, 5.1.2)."""


def intent_of(text: str, languages: Iterable[str] = ("en",)) -> Intent | None:
    """The intent of a keyword or of a clear refusal, or None for another reply.

    English keywords are always understood, and refusals in every language of refusal_phrases.py.
    """
    plain, languages = plain_text(text), tuple(languages)
    if not plain:
        return None
    for table in _tables(languages):
        for intent, words in table.items():
            if plain in words:
                return intent
    return Intent.STOP if _refusal_in(text, languages) == "clear" else None


def may_mean_stop(text: str, languages: Iterable[str] = ("en",)) -> bool:
    """Whether a text that is no keyword may be a STOP all the same, so that a person has to read it."""
    languages = tuple(languages)
    if any(plain_text(text) in words for table in _tables(languages) for words in table.values()):
        return False
    return _refusal_in(text, languages) == "possible"


def is_yes(text: str, languages: Iterable[str] = ("en",)) -> bool:
    """Whether the whole text is a YES. English is always understood."""
    return plain_text(text) in {word for language in ("en", *languages) for word in YES.get(language, ())}


def keyword_of(text: str) -> str:
    """The first word in capitals. It can start a journey ("slides please" to a virtual number)."""
    return plain_text(text).split(" ")[0].upper()


def _tables(languages: Iterable[str]) -> Iterator[Mapping[Intent, tuple[str, ...]]]:
    yield ALWAYS
    yield from (WORDS[language] for language in languages if language in WORDS)


def _refusal_in(text: str, languages: Iterable[str]) -> str | None:
    """`clear`, `possible` or None."""
    from cairn.domain.consent.refusals import refusal_in  # noqa: PLC0415  only replies need the phrases

    return refusal_in(text, frozenset(word for table in _tables(languages) for word in table[Intent.STOP]))
