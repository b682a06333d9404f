"""Every sample of every vendor, as the vendor would post it."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from authoring.sources.samples import fetched_beside, posting, sample_headers, sample_named, samples
from cairn.adapters.sources import Sources, sources
from cairn.adapters.sources.key_pairs import stored_secrets
from cairn.application.events.accept_webhook import Fetch, Request, fetch_nothing

SECRET = "whsec_Y2Fpcm4tdmVuZG9yLXRlc3Rz"
OTHER_SECRET = "whsec_YW5vdGhlci1zZWNyZXQtb2YtdGVzdHM="
NOW = datetime(2026, 12, 1, 12, tzinfo=UTC)
VENDORS = [name for name in sources() if name not in {"track", "sns"}]  # sns: tests/unit/feedback, no mapping file


@dataclass(frozen=True, slots=True)
class Posted:
    """One sample with the vendor's signature on it."""

    source: Any
    request: Request
    fetch: Fetch = fetch_nothing

    def verify(self, *secrets: str, at: datetime = NOW) -> None:
        """With these secrets; of a scheme with a key pair, with the public keys that belong to them."""
        stored = [key for one in secrets or (SECRET,) for key in stored_secrets(self.source.scheme, one)]
        self.source.verify(self.request, stored, at)

    def read(self, at: datetime = NOW) -> Any:
        return self.source.read(self.request, at, self.fetch)

    def changed(self, **parts: Any) -> "Posted":
        return replace(self, request=replace(self.request, **parts))

    def without(self, *headers: str) -> "Posted":
        gone = {name.lower() for name in headers}
        return self.changed(headers={name: one for name, one in self.request.headers.items() if name not in gone})


def posted(  # noqa: PLR0913  one argument for each part of a request
    name: str,
    document: Any,
    *,
    at: datetime = NOW,
    headers: Mapping[str, str] | None = None,
    origin: str = "https://hooks.example.com",
    known: Sources | None = None,
) -> Posted:
    known = known or sources()
    made = posting(name, document, SECRET, at, origin=origin, headers=headers, known=known)
    lower = {header.lower(): value for header, value in made.headers.items()}
    return Posted(known[name], Request(made.url, lower, made.body))


def a_sample(path: Path, *, at: datetime = NOW) -> Posted:
    document = json.loads(path.read_text(encoding="utf-8"))
    made = posted(path.parents[1].name, document, at=at, headers=sample_headers(path))
    return replace(made, fetch=fetched_beside(path))


def every_sample() -> list[Path]:
    return [path for name in VENDORS for path in samples(name)]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """`vendor` runs for every source but our own API, `sample` for every sample."""
    if "vendor" in metafunc.fixturenames:
        metafunc.parametrize("vendor", VENDORS)
    if "sample" in metafunc.fixturenames:
        metafunc.parametrize("sample", every_sample(), ids=lambda path: f"{path.parents[1].name}/{path.stem}")


@pytest.fixture
def first(vendor: str) -> Posted:
    """The vendor's first sample."""
    return a_sample(samples(vendor)[0])


@pytest.fixture
def post() -> Callable[..., Posted]:
    return posted


@pytest.fixture
def take() -> Callable[..., Posted]:
    """A sample by its name, such as `stripe/invoice_paid`."""
    return lambda name, **more: a_sample(sample_named(name), **more)
