"""The systems that post to us. A vendor is a mapping file (`<vendor>.toml`) over one of the schemes in `signatures`."""

from pathlib import Path

from cairn.adapters.sources.mapped import MappedSource
from cairn.adapters.sources.track import TrackSource

MAPPINGS = Path(__file__).parent


def sources() -> dict[str, MappedSource | TrackSource]:
    """Every source by name."""
    vendors: list[MappedSource | TrackSource] = [MappedSource.load(path) for path in sorted(MAPPINGS.glob("*.toml"))]
    return {source.name: source for source in [TrackSource(), *vendors]}
