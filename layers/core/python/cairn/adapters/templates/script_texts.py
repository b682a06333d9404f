"""The texts of call scripts, filled in for one customer. A member reads them out: what is missing is shown as a gap."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from jinja2 import TemplateError, Undefined
from jinja2.sandbox import ImmutableSandboxedEnvironment

from cairn.adapters.templates.language import LANGUAGE, environment
from cairn.adapters.templates.values import without_marks
from cairn.domain.people.script import Script, Texts, closest
from cairn.domain.profile.attributes import LOCALE, TIME_ZONE
from cairn.domain.shared.errors import CairnError


class Gap(Undefined):
    """A gap in what is known of the customer, as the member sees it: `[first_name]`."""

    def __str__(self) -> str:
        return f"[{self._undefined_name}]"

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return Gap(name=name)


class ScriptTexts:
    """Fills in the texts of one script for one customer. `profile` is the profile's view."""

    def __init__(self, script: Script, profile: Mapping[str, Any], *, time_zone: str = "", **variables: Any) -> None:
        self._script = script
        self._locale = str(profile.get(LOCALE) or "")
        self._variables = without_marks(_known({"profile": profile, **variables}))
        self._zone = time_zone or profile.get(TIME_ZONE)

    def __call__(self, texts: Texts) -> str:
        """The text in the customer's language; one that cannot be filled in stays as it is written."""
        locale = closest(texts, self._locale)
        own = {LANGUAGE: self._script.languages.get(locale or self._script.language, {}), "time_zone": self._zone}
        try:
            filled = _jinja().from_string(texts[locale]).render({**self._variables, **own})
        except (TemplateError, CairnError, TypeError, ValueError, ArithmeticError, AttributeError, LookupError):
            return texts[locale]
        return str(without_marks(filled)).strip()


@lru_cache(maxsize=1)
def _jinja() -> ImmutableSandboxedEnvironment:
    made = environment(escape=False)
    made.undefined = Gap
    return made


def _known(value: Any) -> Any:
    """Without what is null: it is missing."""
    if isinstance(value, Mapping):
        return {name: _known(one) for name, one in value.items() if one is not None}
    return value
