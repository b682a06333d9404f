"""The versions of Meta's API, and until when Meta serves each."""

from collections.abc import Mapping
from datetime import date
from types import MappingProxyType

from infra.cloud.stage import InvalidStageError, Stage

READ_ON = date(2026, 11, 28)
"""When the page of the versions was read."""

VERSIONS_PAGE = "https://developers.facebook.com/docs/graph-api/changelog/versions/"

SERVED_UNTIL: Mapping[str, date | None] = MappingProxyType(
    {
        "v20.0": date(2026, 9, 24),
        "v21.0": date(2027, 1, 21),
        "v22.0": date(2027, 5, 20),
        "v23.0": date(2027, 10, 8),
        "v24.0": date(2028, 2, 18),
        "v25.0": date(2028, 7, 29),
        "v26.0": None,
    }
)
"""By VERSIONS_PAGE; None where Meta has not yet said. SendWhatsAppMessage takes v20.0 and later."""


def check_whatsapp(stage: Stage, today: date) -> None:
    """Raises InvalidStageError where a stage with WhatsApp asks for a version that is unknown, or that has ended."""
    if not stage.whatsapp_phone_number_id:
        return
    version = stage.whatsapp_api_version
    if version not in SERVED_UNTIL:
        problem = f"{version!r} is none of {', '.join(SERVED_UNTIL)}, as of {READ_ON}"
    elif (end := SERVED_UNTIL[version]) is not None and end <= today:
        problem = f"Meta serves {version} until {end}; write a later one"
    else:
        return
    raise InvalidStageError(f"cdk.json: stages.{stage.name}: whatsapp_api_version: {problem} ({VERSIONS_PAGE})")
