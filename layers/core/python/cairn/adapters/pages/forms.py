"""Reads the fields that a form or a mail program posts."""

from collections.abc import Mapping
from email.parser import BytesParser
from email.policy import HTTP
from urllib.parse import parse_qsl

from cairn.domain.shared.errors import BodyTooLargeError, MalformedBodyError

POST = "POST"

MAX_FORM_BYTES = 16 * 1024
"""Ours have a few hundred."""

MAX_FIELDS = 100

MULTIPART = "multipart/form-data"

Form = Mapping[str, tuple[str, ...]]


def form_of(content_type: str, body: bytes) -> Form:
    """The fields, by name in lower case; none of an empty body. Raises BodyTooLargeError or MalformedBodyError.

    A body that is not multipart is read as urlencoded, since some programs send no content type, or text/plain.
    """
    if len(body) > MAX_FORM_BYTES:
        raise BodyTooLargeError(f"a form has at most {MAX_FORM_BYTES} bytes")
    if not body.strip():
        return {}
    multipart = content_type.partition(";")[0].strip().lower() == MULTIPART
    try:
        pairs = _parts(content_type, body) if multipart else _pairs(body)
    except (ValueError, LookupError) as error:
        raise MalformedBodyError("a form that cannot be read") from error
    fields: dict[str, tuple[str, ...]] = {}
    for name, value in pairs:
        fields[name.lower()] = (*fields.get(name.lower(), ()), value)
    return fields


def _pairs(body: bytes) -> list[tuple[str, str]]:
    return parse_qsl(body.decode().strip(), keep_blank_values=True, max_num_fields=MAX_FIELDS)


def _parts(content_type: str, body: bytes) -> list[tuple[str, str]]:
    """RFC 7578: a part for each field, its name in its Content-Disposition."""
    head = f"Content-Type: {content_type}\r\n\r\n".encode()
    message = BytesParser(policy=HTTP).parsebytes(head + body)
    if not message.is_multipart():
        raise MalformedBodyError("a multipart form without its boundary")
    parts = list(message.iter_parts())
    if len(parts) > MAX_FIELDS:
        raise MalformedBodyError(f"a form has at most {MAX_FIELDS} fields")
    return [
        (str(part.get_param("name", "", "content-disposition")), bytes(part.get_payload(decode=True) or b"").decode())
        for part in parts
    ]
