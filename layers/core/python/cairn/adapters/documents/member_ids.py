"""The members of the people's document by their ids alone, for a function that needs no more of them."""

import json
from pathlib import Path


def member_ids_at(path: Path) -> frozenset[str]:
    return frozenset(json.loads(path.read_bytes()).get("members", {}))
