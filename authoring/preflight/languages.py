"""Checks of languages: missing ones, ones without a sample, and English names of days."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from jinja2 import nodes

from authoring.preflight.links import Fault
from authoring.preflight.samples import Sample
from authoring.preflight.variants import Variant
from cairn.adapters.templates.renderer import environment
from cairn.adapters.templates.variants import keys_for
from cairn.domain.profile.attributes import LOCALE

ENGLISH = "en"
NAMES = re.compile(r"%-?[aAbBpc]")
"""The directives of strftime that give words; the words are English here."""


def missing(variants: Sequence[Variant], samples: Iterable[Sample]) -> Iterator[tuple[Variant, Fault]]:
    """Templates without a language that another template has or a sample reads."""
    wanted = {one.locale.partition("-")[0] for one in variants if one.locale}
    wanted |= {language for sample in samples if (language := _language(sample)) not in {"", ENGLISH}}
    there = {(one.template, one.channel): set[str]() for one in variants}
    for one in variants:
        there[one.template, one.channel].add(one.locale.partition("-")[0])
    for one in variants:
        lacking = sorted(wanted - there[one.template, one.channel])
        if not one.locale and lacking:
            fix = "Write it, or leave it: they get this one."
            yield one, Fault("warning", "no_language", f"it is not there in {', '.join(lacking)}", fix)


def unread(variants: Iterable[Variant], samples: Sequence[Sample]) -> Iterator[tuple[Variant, Fault]]:
    """Variants that no sample would get."""
    for one in variants:
        if one.locale and not any(_gets(sample, one, variants) for sample in samples):
            fix = f"Add one with `locale: {one.locale}`."
            yield one, Fault("warning", "unread", "no sample reads this language", fix)


def english_names(variant: Variant) -> Iterator[Fault]:
    """Days and months that strftime would name in English."""
    if variant.locale.partition("-")[0] in {"", ENGLISH}:
        return
    formats = [text for text in _texts(variant.parts) for text in _formats(text)]
    if any(NAMES.search(one) for one in formats):
        fix = "Write dates in figures, such as %d/%m %H:%M."
        yield Fault("warning", "english_names", "days and months would be named in English", fix)


def _gets(sample: Sample, wanted: Variant, variants: Iterable[Variant]) -> bool:
    keys = {
        key
        for one in variants
        if (one.template, one.channel) == (wanted.template, wanted.channel)
        for key in [_key(one)]
    }
    found = (key for key in keys_for(wanted.template, wanted.channel, _locale(sample)) if key in keys)
    return next(found, "") == _key(wanted)


def _key(variant: Variant) -> str:
    return next(keys_for(variant.template, variant.channel, variant.locale))


def _language(sample: Sample) -> str:
    return _locale(sample).replace("_", "-").partition("-")[0].lower()


def _locale(sample: Sample) -> str:
    locale = sample.profile.get(LOCALE)
    return locale if isinstance(locale, str) else ""


def _texts(parts: Mapping[str, object]) -> Iterator[str]:
    for part in parts.values():
        yield from (part if isinstance(part, list) else [str(part)])


def _formats(text: str) -> Iterator[str]:
    """The arguments of the filter `local`."""
    for call in environment(escape=False).parse(text).find_all(nodes.Filter):
        if call.name == "local":
            yield from (str(one.value) for one in call.args if isinstance(one, nodes.Const))
