"""Recognises STOP, HELP and START in a customer's reply, with the variants that the law names.

Sources: the opt-out words of AWS End User Messaging (docs.aws.amazon.com/sms-voice, "Required opt-out keywords");
the words that are revocation by themselves under 47 CFR 64.1200(a)(10); CTIA Messaging Principles, 5.1.3. AWS's list
lacks REVOKE and OPT OUT in two words, so a deployment that leaves keywords to AWS alone would miss them.
"""

import re
import unicodedata
from collections.abc import Iterable, Mapping
from enum import StrEnum


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
        Intent.STOP: ("stopp", "abmelden", "abbestellen", "kuendigen"),
        Intent.HELP: ("hilfe",),
        Intent.START: ("anmelden",),
    },
    "en": ALWAYS,
    "es": {Intent.STOP: ("alto", "baja", "cancelar", "parar"), Intent.HELP: ("ayuda",), Intent.START: ("alta",)},
    "fr": {Intent.STOP: ("arret", "arreter", "desabonner"), Intent.HELP: ("aide",), Intent.START: ("reprendre",)},
    "it": {Intent.STOP: ("ferma", "annulla", "disiscrivi"), Intent.HELP: ("aiuto",), Intent.START: ("inizia",)},
    "nl": {Intent.STOP: ("afmelden", "uitschrijven"), Intent.HELP: ("hulp",), Intent.START: ("aanmelden",)},
    "pt": {Intent.STOP: ("parar", "sair", "cancelar"), Intent.HELP: ("ajuda",), Intent.START: ("iniciar",)},
}
"""In lower case without accents, by ISO 639-1 code of the language."""

YES = {
    "de": ("ja",),
    "en": ("yes", "y"),
    "es": ("si",),
    "fr": ("oui",),
    "it": ("si",),
    "nl": ("ja",),
    "pt": ("sim",),
}
"""Replies that confirm an opt-in (CTIA Messaging Principles, 5.1.2)."""

CLEAR_FIRST_WORDS = frozenset({"stop", "stopp", "stopall", "optout", "unsubscribe", "revoke"})
"""These mean STOP whatever follows ("stop texting me"). "Cancel" does not: "cancel my appointment"."""

MAX_KEYWORD_TEXT = 1_600
"""Characters of a reply in which a keyword is looked for: the longest text (ten parts of an SMS)."""

PHRASES = re.compile(
    r"(please )?(stop|quit) (text|texting|messaging|sending|contacting|calling)\b.*"
    r"|(please )?(do not|dont|never) (text|message|contact|call) me\b.*"
    r"|please stop|leave me alone|take me off (this|the|your) list|remove me\b.*|no more (texts|messages)\b.*",
)
"""Replies that a reasonable person reads as revocation (47 CFR 64.1200(a)(10))."""


def intent_of(text: str, languages: Iterable[str] = ("en",)) -> Intent | None:
    """The keyword's intent, or None for an ordinary reply. English is always understood."""
    plain = _plain(text)
    if not plain:
        return None
    for table in (ALWAYS, *(WORDS[language] for language in languages if language in WORDS)):
        for intent, words in table.items():
            if plain in words:
                return intent
    if plain.split(" ")[0] in CLEAR_FIRST_WORDS or PHRASES.fullmatch(plain):
        return Intent.STOP
    return None


def is_yes(text: str, languages: Iterable[str] = ("en",)) -> bool:
    """Whether the whole text is a YES. English is always understood."""
    return _plain(text) in {word for language in ("en", *languages) for word in YES.get(language, ())}


def keyword_of(text: str) -> str:
    """The first word in capitals. It can start a journey ("slides please" to a virtual number)."""
    return _plain(text).split(" ")[0].upper()


def _plain(text: str) -> str:
    """Lower case, without accents and punctuation, single spaces; `opt-out` is `opt out`.

    Only the beginning counts: Unicode's normal form takes the square of the accents on one letter.
    """
    text = text[:MAX_KEYWORD_TEXT]
    bare = "".join(one for one in unicodedata.normalize("NFKD", text) if not unicodedata.combining(one))
    return " ".join(re.sub(r"[^\w]+", " ", bare.replace("'", "").replace("\u2019", "").casefold()).split())
