"""JSON as it travels and rests: no blanks, and other alphabets as they are (escapes take up to three times as much)."""

import json
import re
from typing import Any

UNFIT = re.compile("[\ud800-\udfff\ufffe\uffff]")
"""What UTF-8, or XML and so an SQS message, cannot hold; these stay escaped."""


def to_json(document: Any) -> str:
    text = json.dumps(document, ensure_ascii=False, separators=(",", ":"))
    return UNFIT.sub(lambda match: f"\\u{ord(match[0]):04x}", text)
