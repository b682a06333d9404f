"""The attributes that journeys ask for: in conditions, in texts, and as addresses to send to."""

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from authoring.journeys.flow import sends_of
from authoring.journeys.values import UNNOTICED
from cairn.domain.profile.attributes import TAGS
from cairn.domain.profile.lead import LEAD_NAMES
from cairn.domain.shared.channels import CHANNELS, Channel

READ = re.compile(r'\bprofile\.(?:([A-Za-z_]\w*)|\\"((?:[^"\\]|\\.)+)\\")')
"""In the JSON of a compiled journey, `profile.plan` and `profile."my plan"`."""

GIVEN_BY_RULES = LEAD_NAMES | UNNOTICED | {TAGS}
"""Fields of the profile that nobody reports as an attribute."""


def asked_for(compiled: Iterable[Mapping[str, Any]]) -> dict[str, list[str]]:
    """The journeys that ask for each attribute, by the attribute's name."""
    found: defaultdict[str, set[str]] = defaultdict(set)
    for one in compiled:
        for name in _names_in(one):
            found[name].add(one["journey"])
    return {name: sorted(journeys) for name, journeys in sorted(found.items())}


def _names_in(one: Mapping[str, Any]) -> Iterator[str]:
    text = json.dumps([one["document"], one["templates"]], ensure_ascii=False)
    yield from {plain or quoted for plain, quoted in READ.findall(text)} - GIVEN_BY_RULES
    for _, _, channels in sends_of(one["document"]):
        addresses = (CHANNELS[Channel(name)].address for name in channels if name in set(Channel))
        yield from (address.value for address in addresses if address.is_attribute)
