"""CloudFormation, in a deployment → whether the table's customers, and links that were sent, have their secrets."""

from datetime import UTC, datetime
from functools import cache
from typing import Any

from cairn.adapters.http.stack_answers import answer
from cairn.application.operations.check_identity_key import CheckIdentityKey
from cairn.compose import check_identity_key as compose
from cairn.domain.shared.errors import CairnError
from cairn.telemetry import logger, where

RESOURCE = "identity-key"
"""The physical id: always the same, so that no deployment replaces the resource."""


@cache
def check() -> CheckIdentityKey:
    return compose.check_identity_key()


warm = check


def handler(event: dict[str, Any], context: Any) -> None:  # noqa: ARG001  Lambda's signature
    if event["RequestType"] == "Delete":
        answer(event, RESOURCE)  # the key and its record stay with the data
        return
    try:
        fingerprint = check()(datetime.now(UTC))
    except CairnError as error:
        logger.error("the deployment is refused", problem=str(error))
        answer(event, RESOURCE, refusal=str(error))
    except Exception as error:  # noqa: BLE001  without an answer CloudFormation waits until its timeout
        logger.error("the identity key could not be checked", error=where(error))
        answer(event, RESOURCE, refusal=f"the identity key could not be checked: {where(error)}")
    else:
        answer(event, RESOURCE, Fingerprint=fingerprint)
