"""check_identity_key: refuses a deployment whose identity key is lost or another, or whose links have no secret."""

import os

from cairn.adapters import aws
from cairn.adapters.dynamodb.identity_record import DynamoIdentityRecord
from cairn.adapters.dynamodb.status_reports import note_complete
from cairn.adapters.secrets_manager import DrawnLinksSecret, identity_keys
from cairn.application.operations.check_identity_key import CheckIdentityKey
from cairn.compose.table import bind_table
from cairn.settings import CheckIdentityKeySettings


def check_identity_key() -> CheckIdentityKey:
    settings = CheckIdentityKeySettings.from_environment(os.environ)
    bind_table(settings.table_name)
    secrets = aws.client("secretsmanager")
    return CheckIdentityKey(
        lambda: identity_keys(secrets, settings.identity_secret_id),
        DynamoIdentityRecord(),
        DrawnLinksSecret(secrets, settings.stage_secret_id),
        note_complete,
    )
