"""What the check and preflight have found of each journey, for people who look at a deployment."""

import json
from collections.abc import Sequence
from pathlib import Path

from authoring.journeys.catalogue import Compiled
from authoring.journeys.stamp import stamp_of
from authoring.proof.report import prove
from cairn.domain.policy import Policy


def write_checks(journeys: Path, compiled: Sequence[Compiled], policy: Policy, target: Path) -> None:
    """A document by the name of the journey."""
    proof = prove(journeys, compiled, policy).to_json()
    found = {
        one["journey"]: one
        | {
            "warnings": [
                {name: each[name] for name in ("step", "message", "fix")}
                for each in proof["warnings"]
                if Path(each["file"]).parent.name == one["journey"]
            ],
            "preflight": stamp_of(journeys / one["journey"], one["version"]),
        }
        for one in proof["journeys"]
    }
    target.write_text(json.dumps(found, ensure_ascii=False) + "\n", encoding="utf-8")
