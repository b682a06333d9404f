"""Answers CloudFormation about a custom resource.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/crpg-ref-responses.html: a document of at most 4096 bytes
is put to the URL of the request, which is signed without a content type.
"""

import os
from collections.abc import Mapping
from typing import Any

from botocore.httpsession import get_cert_path
from urllib3 import PoolManager, Retry

from cairn.adapters.documents.json_text import to_json

MAX_REASON = 2000
"""Characters of a reason; leaves half of the 4096 bytes for the ids and for what is not ASCII."""

ATTEMPTS = Retry(total=4, backoff_factor=0.5, status_forcelist=(500, 502, 503, 504), allowed_methods=None)
"""Without an answer CloudFormation waits until its own timeout."""


def answer(request: Mapping[str, Any], resource: str, *, refusal: str = "", **attributes: str) -> None:
    """Report to CloudFormation that the resource is in order, with its attributes, or why it is refused."""
    document = {
        "Status": "FAILED" if refusal else "SUCCESS",
        "Reason": refusal[:MAX_REASON],
        "PhysicalResourceId": request.get("PhysicalResourceId", resource),
        "StackId": request["StackId"],
        "RequestId": request["RequestId"],
        "LogicalResourceId": request["LogicalResourceId"],
        "Data": attributes,
    }
    authorities = os.environ.get("AWS_CA_BUNDLE") or get_cert_path(True)  # noqa: FBT003
    with PoolManager(ca_certs=authorities, retries=ATTEMPTS) as pool:
        pool.request("PUT", request["ResponseURL"], body=to_json(document).encode(), headers={"content-type": ""})
