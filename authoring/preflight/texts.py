"""Checks of SMS: segments, price, the sender's name, and how to stop."""

import re
import tomllib
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path

import smsutil

from authoring.preflight.links import Fault, without_links
from authoring.preflight.rendering import Rendering
from authoring.preflight.report import SmsCosts
from authoring.preflight.variants import Variant
from cairn.adapters.phone.numbers import country_of
from cairn.domain.consent.keywords import ALWAYS, WORDS, Intent
from cairn.domain.message.sms import DEFAULT_MAX_PARTS, parts_of

PRICES = Path(__file__).with_name("prices.toml")

MANY_SEGMENTS = 3
"""More segments than this are reported: each is paid for, and some carriers drop the last ones."""

GSM_7, UCS_2 = "GSM-7", "UCS-2"

REPLACEMENTS = {
    "\u2019": "'",
    "\u2018": "'",
    "\u201c": '"',
    "\u201d": '"',
    "\u2013": "-",
    "\u2014": "-",
    "\u2026": "...",
    "\u00a0": "a plain space",
}
"""Characters of word processors, and their GSM-7 replacements."""


def not_in_gsm_7(text: str) -> list[str]:
    """The characters that GSM-7 lacks, each once. A single one reduces a segment from 160 characters to 70."""
    return list(dict.fromkeys(one for one in text if not smsutil.is_valid_gsm(one)))


def encoding_of(text: str) -> str:
    """`GSM-7`, or `UCS-2` with the first characters that GSM-7 lacks."""
    forced = not_in_gsm_7(text)
    shown = [one for one in forced if not unicodedata.category(one).startswith(("M", "C"))]
    return f"{UCS_2} ({' '.join(shown[:3])})" if forced else GSM_7


@cache
def prices(file: Path = PRICES) -> Mapping[str, float]:
    """USD a segment, by country."""
    return {country: float(row["usd"]) for country, row in tomllib.loads(file.read_text(encoding="utf-8")).items()}


def sms_costs(renderings: Sequence[Rendering]) -> SmsCosts | None:
    """None if the variant could not be rendered for any sample."""
    if not renderings:
        return None
    segments = [parts_of(one.rendered.text) for one in renderings]
    priced = [number * price for number, one in zip(segments, renderings, strict=True) if (price := _price(one))]
    encodings = dict.fromkeys(encoding_of(one.rendered.text) for one in renderings)
    return SmsCosts((min(segments), max(segments)), tuple(sorted(encodings)), max(priced, default=None))


def text_faults(one: Rendering, brand: str) -> Iterator[Fault]:
    """Problems of an SMS, as one sample would get it."""
    text = one.rendered.text
    segments, country = parts_of(text), _country(one)
    most = one.variant.parts.get("max_parts", DEFAULT_MAX_PARTS)
    worst = parts_of(one.longest_text) if one.longest_text else segments
    if segments > MANY_SEGMENTS:
        fix = "Say less, or send an e-mail: each is paid for."
        yield Fault("warning", "many_segments", f"{segments} segments, {encoding_of(text)}", fix)
    elif worst > most:
        fix = "Say less, shorten the values with truncate, or set max_parts."
        message = f"with the longest values it has {worst} segments, and is not sent over {most}"
        yield Fault("warning", "may_be_too_long", message, fix)
    own = not_in_gsm_7(one.template_text)
    if own:
        shown = ", ".join(f"{char} (U+{ord(char):04X}, {unicodedata.name(char, '?').lower()})" for char in own)
        known = [f"{REPLACEMENTS[char]} for {char}" for char in own if char in REPLACEMENTS]
        fix = f"Write {', '.join(known)}." if known else "Do without, or accept 70 characters a segment."
        yield Fault("warning", "ucs_2", f"the template itself is not GSM-7: {shown}", fix)
    if country and country not in prices():
        fix = "Add it to authoring/preflight/prices.toml."
        yield Fault("warning", "no_price", f"no price is known for {country}", fix)
    if brand and _plain(brand) not in _plain(without_links(text)):
        yield Fault("error", "no_brand", f"it does not say who writes: {brand}", "Begin with the name.")
    if one.variant.marketing and not says_how_to_stop(text, one.variant):
        yield Fault("error", "no_stop", "marketing that does not say how to stop it", "End with: Reply STOP to stop.")


def says_how_to_stop(text: str, variant: Variant) -> bool:
    """Whether it names, in capitals, a keyword that means STOP."""
    language = variant.locale.partition("-")[0].lower()
    words = {*ALWAYS[Intent.STOP], *WORDS.get(language, {}).get(Intent.STOP, ())}
    return any(_plain(word) in words for word in re.findall(r"\w+", text) if word.isupper())


def _plain(text: str) -> str:
    bare = unicodedata.normalize("NFKD", text)
    return " ".join("".join(one for one in bare if not unicodedata.combining(one)).casefold().split())


def _country(one: Rendering) -> str:
    return country_of(one.rendered.address) if one.rendered.address else ""


def _price(one: Rendering) -> float | None:
    return prices().get(_country(one))
