"""Compact JSON for queues and the table: no blanks, and no escapes for other alphabets (up to 3 x the bytes)."""

import json
import re
from typing import Any

UNFIT = re.compile("[\ud800-\udfff\ufffe\uffff]")
"""Characters that UTF-8 or XML, and so an SQS message, cannot carry; they stay escaped."""


encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
"""`json.dumps` makes an encoder for each call."""


def to_json(document: Any) -> str:
    text = encode(document)
    return UNFIT.sub(lambda match: f"\\u{ord(match[0]):04x}", text)
