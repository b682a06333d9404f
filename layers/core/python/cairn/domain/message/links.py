"""Links inside values: which hosts may be linked to, and what becomes of every other link.

No list of domain endings is needed, and none could be complete: phones make a link of many a `name.ending`. So in a
value a blank follows the dots of every such word (`evil.example` becomes `evil. example`), of a harmless one, too.
"""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

ANY_SUBDOMAIN = "*."
"""Begins a named host that stands for all hosts below it."""

HOST_SHAPE = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)+"
"""Labels as in RFC 1035, 2.3.1, and at least two of them. An international name is written as `xn--…`."""

LINK = re.compile(
    rf"https?://(?P<host>{HOST_SHAPE})(?::[0-9]{{1,5}})?(?:[/?#][a-z0-9\-._~:/?#\[\]@!$&'()*+,;=%]*)?", re.IGNORECASE
)
"""A link that may be sent: http or https, no user name, and only characters of RFC 3986."""

BEGINS = re.compile(r"(?<![a-z0-9+.\-])https?://", re.IGNORECASE)

AROUND = "()[]<>{}\"'`.,;:!?\u2018\u2019\u201c\u201d\u00ab\u00bb"
"""Punctuation of a sentence around a link."""

SCHEME = "://"
NAMED_SCHEME = re.compile(
    r"(?<![a-z0-9])(?:mailto|tel|sms|smsto|mms|facetime|javascript|vbscript|intent|market):(?=\S)"
)
"""Schemes without `//` that phones or mail clients open."""

DOT = re.compile("[.\u3002]")
"""The dots of a host: IDNA takes the ideographic one for a dot, too (RFC 3490, 3.1)."""

DOTTED = re.compile(r"[^\s.][.\u3002](?=[^\W\d_][\w-])")
"""A dot between anything and two characters, of which the first is a letter: domains of emoji are sold, too."""

FOUR_NUMBERS = re.compile(r"[0-9]{1,3}(?:\.[0-9]{1,3}){3}")
"""An IPv4 address."""

EMAIL_ADDRESS = re.compile(r"[\w.+'-]{1,64}@[\w-]+(?:\.[\w-]+)+")

OLD_ENDINGS = """
    biz com edu gov info name net org ac ad ae af ag ai al am ao aq ar as at au aw ax az ba bb bd be bf bg bh bi bj bm
    bn bo br bs bt bv bw by bz ca cc cd cf cg ch ci ck cl cm cn co cr cu cv cw cx cy cz de dj dk dm do dz ec ee eg er
    es et eu fi fj fk fm fo fr ga gb gd ge gf gg gh gi gl gm gn gp gq gr gs gt gu gw gy hk hm hn hr ht hu id ie il im
    in io iq ir is it je jm jo jp ke kg kh ki km kn kp kr kw ky kz la lb lc li lk lr ls lt lu lv ly ma mc md me mg mh
    mk ml mm mn mo mp mq mr ms mt mu mv mw mx my mz na nc ne nf ng ni nl no np nr nu nz om pa pe pf pg ph pk pl pm pn
    pr ps pt pw py qa re ro rs ru rw sa sb sc sd se sg sh si sj sk sl sm sn so sr ss st su sv sx sy sz tc td tf tg th
    tj tk tl tm tn to tr tt tv tw tz ua ug uk us uy uz va vc ve vg vi vn vu wf ws ye yt za zm zw
"""
MAIL_ENDINGS = frozenset(OLD_ENDINGS.split())
"""Old generic endings and those of countries (IANA's root zone database). Only an address that ends so may have a dot
before its `@`: otherwise a reader that does not know the ending may take `evil.com@…` for the host `evil.com`."""

UNSEEN = re.compile("[\u200b-\u200f\u2060\ufe0f]")


@dataclass(frozen=True, slots=True)
class Hosts:
    """The hosts that links in values may lead to."""

    exact: frozenset[str] = frozenset()
    below: tuple[str, ...] = ()
    """`.example.com`: every host that ends so."""

    @classmethod
    def named(cls, *lists: Iterable[str]) -> "Hosts":
        """From hosts as people write them: `pay.example.com`, or `*.example.com` for all below it."""
        names = {name.lower().rstrip(".") for names in lists for name in names}
        return cls(
            frozenset(name for name in names if not name.startswith(ANY_SUBDOMAIN)),
            tuple(sorted(name.removeprefix("*") for name in names if name.startswith(ANY_SUBDOMAIN))),
        )

    def __contains__(self, host: str) -> bool:
        name = host.lower()
        return name in self.exact or name.endswith(self.below)

    def allow(self, word: str) -> bool:
        """Whether every link in a word leads to a named host."""
        begins = BEGINS.search(word)
        if begins is None or is_link(before := word[: begins.start()]) or looks_like_host(before):
            return False
        link = LINK.fullmatch(word[begins.start() :].rstrip(AROUND))
        return (
            link is not None and link["host"] in self and all(self._leads_on(rest) for rest in link[0].split("://")[2:])
        )

    def _leads_on(self, rest: str) -> bool:
        """Whether a link inside a link, such as the page to return to, leads to a named host."""
        return re.split("[/?#&]", rest, maxsplit=1)[0].partition(":")[0] in self


def is_link(word: str) -> bool:
    """Whether a word says by a scheme or `www.` that it is a link."""
    seen = as_seen(word)
    return SCHEME in seen or seen.lstrip(AROUND).startswith("www.")


def looks_like_host(word: str) -> bool:
    """Whether a phone could make a link of a word that has no scheme."""
    seen = as_seen(word)
    if _is_email_address(seen.strip(AROUND)):
        return False
    return bool(DOTTED.search(seen) or FOUR_NUMBERS.search(seen) or NAMED_SCHEME.search(seen))


def _is_email_address(seen: str) -> bool:
    name, _, domain = seen.partition("@")
    if not EMAIL_ADDRESS.fullmatch(seen):
        return False
    return domain.rpartition(".")[2] in MAIL_ENDINGS or not DOTTED.search(name)


def as_seen(word: str) -> str:
    """The word as browsers read it: compatibility forms (full-width letters and dots) resolved, in lower case."""
    return word.lower() if word.isascii() else UNSEEN.sub("", unicodedata.normalize("NFKC", word)).lower()


def separated(word: str) -> str:
    """The word with a blank behind each dot and each scheme's colon, so that nothing makes a link of it."""
    apart = "".join(f"{one} " if _separates(one) and word[index + 1 :] else one for index, one in enumerate(word))
    return " ".join(apart.split())


def _separates(one: str) -> bool:
    seen = as_seen(one)
    return bool(DOT.search(seen)) or ":" in seen


def without_foreign_links(text: str, hosts: Hosts) -> str:
    """A text on one line, without its links to hosts that nobody named. A word that is such a link is left out."""
    if not ("." in text or ":" in text or not text.isascii()):
        return text
    return " ".join(fit for word in text.split(" ") if (fit := fit_word(word, hosts)) or not word)


def fit_word(word: str, hosts: Hosts) -> str:
    """One word, as it may be sent; empty if it is a link to a host that nobody named."""
    if is_link(word):
        return word if hosts.allow(word) else ""
    if not looks_like_host(word) or hosts.allow(f"https://{word.lstrip(AROUND)}"):
        return word
    apart = separated(word)
    return "" if any(looks_like_host(one) or is_link(one) for one in apart.split(" ")) else apart
