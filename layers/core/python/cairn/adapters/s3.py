"""S3: bodies that are too large for a queue, each under a hash of its name; the queue carries the key."""

import hashlib
import json
from collections.abc import Callable
from functools import cached_property
from typing import Any

from botocore.exceptions import ClientError

from cairn.adapters.aws import calling, code_of
from cairn.adapters.documents.json_text import to_json
from cairn.domain.shared.errors import BodyTooLargeError, ServiceRefusedError
from cairn.settings import OVERFLOW_PREFIX

MAX_QUEUED_BYTES = 200_000
"""Largest message that is queued as it is: SQS takes 256 KiB (1 MiB since 2025, where that is confirmed)."""

MAX_POINTER = 200
"""Characters of a message that may point to a body; a longer one is the body itself."""

POINTER = "s3"
"""The one field of a message whose body lies in the bucket: its key."""

IS_THERE = "PreconditionFailed"
"""The code of a conditional write to a key that has an object."""

NOT_THERE = frozenset({"AccessDenied", "NoSuchKey"})
"""The codes of a read where no object is; the first one where the reader may not list the bucket. No function may."""

EMPTY = "{}"
"""Replaces a body that is no longer needed. A deleted body would not do: without ListBucket, missing and forbidden
objects look alike.
"""


class Overflow:
    """The bucket. Its client is made for the first large body, which most functions never see.

    The client takes 21 ms of CPU, and 4 more for its first call.
    """

    def __init__(self, make_client: Callable[[], Any], bucket: str) -> None:
        self._make_client = make_client
        self._bucket = bucket

    @cached_property
    def _s3(self) -> Any:
        return self._make_client()

    def offload(self, body: str, name: str = "") -> str:
        """The body itself, or, once that is durably stored, a pointer to it. `name` says whose body it is.

        Repeating it changes nothing, not even a body that was emptied since: what was processed, or erased, does not
        come back with a repetition, which may be a little different.
        """
        raw = body.encode()
        if len(raw) <= MAX_QUEUED_BYTES:
            return body
        key = OVERFLOW_PREFIX + hashlib.sha256(name.encode() or raw).hexdigest()
        with calling("s3"):
            self._create(key, raw)
        return to_json({POINTER: key})

    def _create(self, key: str, raw: bytes) -> None:
        """Store a body, unless there is one under this key.

        https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html
        """
        try:
            self._s3.put_object(Bucket=self._bucket, Key=key, Body=raw, ContentType="application/json", IfNoneMatch="*")
        except ClientError as error:
            if code_of(error) != IS_THERE:
                raise

    def load(self, body: str) -> Any:
        """The document that a message carries or points to. Raises ValueError where it is no JSON."""
        document = json.loads(body)
        key = pointer_of(document)
        return document if key is None else json.loads(self.fetch(key))

    def discard(self, body: str) -> None:
        """Empty the body that a processed message points to, if it points to one."""
        key = pointer_of(json.loads(body)) if len(body) < MAX_POINTER else None
        if key is not None:
            self.empty(key)

    def empty(self, key: str) -> None:
        with calling("s3"):
            self._s3.put_object(Bucket=self._bucket, Key=key, Body=EMPTY.encode(), ContentType="application/json")

    def fetch(self, key: str, most: int | None = None) -> bytes:
        """The body. Raises BodyTooLargeError for one of more than `most` bytes, before any of it is read.

        Raises ServiceRefusedError for one that is not there. That looks like a right that is missing, and no time
        mends it; where a right was taken away, the body becomes a dead letter that time might have mended.
        """
        with calling("s3"):
            try:
                found = self._s3.get_object(Bucket=self._bucket, Key=key)
            except ClientError as error:
                if code_of(error) in NOT_THERE:
                    raise ServiceRefusedError("s3", code_of(error)) from error
                raise
            size = found["ContentLength"]
            if most is not None and size > most:
                raise BodyTooLargeError(f"the body has {size} bytes, and at most {most} are read")
            raw: bytes = found["Body"].read()
        return raw


class NoOverflow:
    """For functions that never queue a large body, and so need no bucket."""

    def offload(self, body: str, name: str) -> str:  # noqa: ARG002  as Overflow has it
        return body


def pointer_of(document: Any) -> str | None:
    """The key that a message carries instead of a body; None where it carries the body."""
    key = document[POINTER] if isinstance(document, dict) and document.keys() == {POINTER} else None
    return key if isinstance(key, str) else None
