"""serve_preferences: answers the links in messages."""

import os
from pathlib import Path

from cairn.adapters import aws
from cairn.adapters.documents.policy import policy_at
from cairn.adapters.dynamodb.customers import DynamoCustomers
from cairn.adapters.pages.preference_centre import PreferenceCentre
from cairn.adapters.pages.render import Pages
from cairn.adapters.s3 import NoOverflow
from cairn.adapters.secrets_manager import identity_keys
from cairn.adapters.sqs.events_queue import EventsQueue
from cairn.application.consent.serve_preferences import ServePreferences
from cairn.compose.links import signed_links
from cairn.compose.table import bind_table
from cairn.settings import ServePreferencesSettings


def serve_preferences() -> PreferenceCentre:
    settings = ServePreferencesSettings.from_environment(os.environ)
    bind_table(settings.table_name)
    secrets = aws.client("secretsmanager")
    keys = identity_keys(secrets, settings.identity_secret_id, settings.identity_fingerprint)
    policy = policy_at(Path(settings.policy_path))
    serve = ServePreferences(
        tokens=signed_links(secrets, settings, keys.suppressions),
        customers=DynamoCustomers(keys),
        inbox=EventsQueue(aws.client("sqs"), settings.events_queue_url, NoOverflow(), keys.queue_groups),
        policy=policy,
        key=keys.suppressions,
    )
    return PreferenceCentre(serve, Pages(policy))
