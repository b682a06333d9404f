"""What the check and preflight have found of each journey, for people who look at a deployment."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from authoring.journeys.stamp import FILE as STAMP
from authoring.proof.report import prove
from cairn.adapters.documents.policy import policy_at


def write_checks(journeys: Path, catalogue: Path, policy: Path, target: Path) -> None:
    """Of the compiled journeys and the compiled policy; a document by the name of the journey."""
    compiled = json.loads(catalogue.read_bytes())
    proof = prove(journeys, compiled, policy_at(policy)).to_json()
    found = {
        one["journey"]: one
        | {
            "warnings": [
                {name: each[name] for name in ("step", "message", "fix")}
                for each in proof["warnings"]
                if Path(each["file"]).parent.name == one["journey"]
            ],
            "preflight": _stamp(journeys / one["journey"] / STAMP, one["version"]),
        }
        for one in proof["journeys"]
    }
    target.write_text(json.dumps(found, ensure_ascii=False) + "\n", encoding="utf-8")


def _stamp(file: Path, version: str) -> Mapping[str, Any] | None:
    """What preflight has passed; None where that was another version, as may be on a laptop."""
    try:
        stamp: Mapping[str, Any] = json.loads(file.read_bytes())
    except (FileNotFoundError, ValueError):
        return None
    return stamp if isinstance(stamp, dict) and stamp.get("version") == version else None
