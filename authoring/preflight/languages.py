"""Checks of languages: missing ones, ones without a sample, and what strftime writes in English alone."""

import re
from collections.abc import Iterable, Iterator, Sequence

from jinja2 import nodes

from authoring.journeys.languages import ENGLISH
from authoring.journeys.templates import texts_of
from authoring.preflight.links import Fault
from authoring.preflight.samples import Sample
from authoring.preflight.variants import Variant
from cairn.adapters.templates.language import environment
from cairn.adapters.templates.variants import keys_for
from cairn.domain.profile.attributes import LOCALE

IN_ENGLISH = re.compile(r"%[cP]")
"""The directives of strftime that give words, and have none of another language."""


def missing(variants: Sequence[Variant], samples: Iterable[Sample], language: str) -> Iterator[tuple[Variant, Fault]]:
    """Templates without a language that another template has or a sample reads. `language` is that of all others."""
    wanted = {one.locale.partition("-")[0] for one in variants if one.locale}
    wanted |= {read for sample in samples if (read := _language(sample)) not in {"", _bare(language)}}
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


def english_names(variant: Variant, language: str) -> Iterator[Fault]:
    """Dates that strftime would write in English."""
    if _bare(variant.locale or language) == ENGLISH:
        return
    formats = [text for text in texts_of(variant.parts) for text in _formats(text)]
    if any(IN_ENGLISH.search(one) for one in formats):
        fix = "Write local('medium') and local('time'), or %A, %B and %p."
        yield Fault("warning", "english_names", "%c and %P of local are English", fix)


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
    return _bare(_locale(sample))


def _bare(locale: str) -> str:
    return locale.replace("_", "-").partition("-")[0].lower()


def _locale(sample: Sample) -> str:
    locale = sample.profile.get(LOCALE)
    return locale if isinstance(locale, str) else ""


def _formats(text: str) -> Iterator[str]:
    """The arguments of the filter `local`."""
    for call in environment(escape=False).parse(text).find_all(nodes.Filter):
        if call.name == "local":
            yield from (str(one.value) for one in call.args if isinstance(one, nodes.Const))
