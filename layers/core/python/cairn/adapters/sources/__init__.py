"""The systems that post to us. A vendor is a folder with a mapping file that names its signature scheme."""

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from cairn.adapters.http.standard_webhooks import problem_of_key
from cairn.adapters.sources.mapped import MappedSource
from cairn.adapters.sources.signatures import ChecksSecrets, StandardWebhooks
from cairn.adapters.sources.signed_text import InvalidSourceError
from cairn.adapters.sources.track import TrackSource
from cairn.domain.identity.trust import IMPORTS_SOURCE, RESERVED_SOURCES, TRACK_SOURCE, is_provider
from cairn.domain.privacy.requests import may_order_erasure

VENDORS = Path(__file__).parent
"""A folder for each vendor; of its files only the mapping ships."""

MAPPING = "mapping.toml"
OWN = "sources"
"""The folder beside a deployment's sources.toml with vendors of its own; each is a folder with a mapping file, too."""

RULES = "events"
"""The rules of a mapping, of which the first true one counts."""

DISABLED = "disabled"
SCHEME = "scheme"
"""The key of a signature whose other keys are its parameters."""
TRACK = TRACK_SOURCE
SNS = "sns"
RESERVED = frozenset({TRACK, SNS, IMPORTS_SOURCE, *RESERVED_SOURCES})
"""Our own sources. Their reports about messages are trusted, so no vendor may have their names."""

if TYPE_CHECKING:
    from cairn.adapters.feedback.sns_https import SnsSource

AnySource: TypeAlias = "MappedSource | TrackSource | SnsSource"


def sources(configuration: Path | None = None, folder: Path = VENDORS) -> "Sources":
    """Every source of a deployment by name, as its sources.toml configures them (docs/sources.md).

    A vendor in the folder beside sources.toml stands in for one of the same name here; beside that folder, the file may
    be missing. Raises InvalidSourceError where the configuration names an unknown source.
    """
    if configuration is None:
        return Sources([folder], {})
    own = configuration.parent / OWN
    nothing_to_say = own.is_dir() and not configuration.exists()
    return Sources([folder, own], {} if nothing_to_say else _document(configuration))


class Sources(Mapping[str, AnySource]):
    """A mapping file is read when its vendor first posts: a cold start pays for one vendor, not for all."""

    def __init__(self, folders: Sequence[Path], configuration: Mapping[str, Any]) -> None:
        self._track = True
        paths = {path.parent.name: path for folder in folders for path in sorted(folder.glob(f"*/{MAPPING}"))}
        self._paths = {name: path for name, path in paths.items() if name not in RESERVED}
        self._overrides: dict[str, tuple[str, Mapping[str, Any]]] = {name: (name, {}) for name in (SNS, *self._paths)}
        for vendor, settings in configuration.items():
            if vendor != DISABLED:
                self._configure(vendor, settings)
        for name in configuration.get(DISABLED, ()):
            if name not in self:
                raise InvalidSourceError(f"sources.toml: disabled: no source is called {name!r}")
            self._overrides.pop(name, None)
        self._track = TRACK not in configuration.get(DISABLED, ())
        self._read: dict[str, AnySource] = {}

    def _configure(self, vendor: str, settings: Any) -> None:
        """A table changes a source; a list of tables makes several sources, each with a name of its own."""
        if vendor not in self._paths:
            known = sorted(self._paths)
            raise InvalidSourceError(f"sources.toml: {vendor}: there is no {vendor}/{MAPPING}; known: {known}")
        for one in settings if isinstance(settings, list) else [settings]:
            own = dict(one)
            name = own.pop("name", vendor)
            if name != vendor and (name in self or name in RESERVED):
                raise InvalidSourceError(f"sources.toml: {vendor}: {name!r} is the name of another source")
            if is_provider(name) != is_provider(vendor):
                rule = f"{vendor}-…" if is_provider(vendor) else "not after feedback, twilio or whatsapp"
                raise InvalidSourceError(
                    f"sources.toml: {vendor}: {name!r} must be named {rule}: providers are believed"
                )
            if may_order_erasure(name) != may_order_erasure(vendor):
                rule = f"{vendor}-…" if may_order_erasure(vendor) else "not after hubspot or shopify"
                raise InvalidSourceError(
                    f"sources.toml: {vendor}: {name!r} must be named {rule}: their word erases a customer"
                )
            self._overrides[name] = (vendor, own)

    def __getitem__(self, name: str) -> AnySource:
        if name not in self:
            raise KeyError(name)
        if name not in self._read:
            self._read[name] = self._make(name)
        return self._read[name]

    def secret_names(self) -> tuple[str, ...]:
        """Of all secrets that must be stored."""
        return tuple(secret for name in self for secret in self.secrets_of(name))

    def secrets_of(self, name: str) -> tuple[str, ...]:
        """The secrets of a source that must be stored: its own, but of SNS, and the token of a handshake."""
        if name == SNS:
            return ()
        return (name, f"{name}-verify") if self[name].handshake else (name,)

    def token_names(self) -> tuple[str, ...]:
        """Of the secrets that may be stored: the token of each source that can fetch what its webhooks point to."""
        return tuple(f"{name}-token" for name in self if getattr(self[name], "pointer", None))

    def problem_of_secret(self, name: str, secret: str) -> str:
        """Why a secret is no key of its source's signature scheme; empty where it is one."""
        scheme = self[name].scheme if name in self else None
        if isinstance(scheme, StandardWebhooks):
            return problem_of_key(secret)
        return scheme.problem_of_secret(secret) if isinstance(scheme, ChecksSecrets) else ""

    def _make(self, name: str) -> AnySource:
        if name == TRACK:
            return TrackSource()
        if name == SNS:
            from cairn.adapters.feedback.sns_https import SnsSource  # noqa: PLC0415  few deployments hear from it

            return SnsSource()
        vendor, settings = self._overrides[name]
        return MappedSource.made_from(name, _over(_document(self._paths[vendor]), settings))

    def __contains__(self, name: object) -> bool:
        return name in self._overrides or (name == TRACK and self._track)

    def __iter__(self) -> Iterator[str]:
        return (name for name in sorted({TRACK, *self._overrides}) if name in self)

    def __len__(self) -> int:
        return sum(1 for _ in self)


@cache
def _document(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        name = f"{path.parent.name}/{MAPPING}" if path.name == MAPPING else path.name
        raise InvalidSourceError(f"{name}: {error}") from None


def _over(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """Tables are merged, but for a signature of another scheme; rules come before those that are there.

    Everything else is replaced.
    """
    merged = dict(below)
    for name, value in above.items():
        both = isinstance(value, Mapping) and isinstance(merged.get(name), Mapping) and SCHEME not in value
        merged[name] = _over(merged[name], value) if both else value
    if RULES in above:
        merged[RULES] = [*above[RULES], *below.get(RULES, ())]
    return merged
