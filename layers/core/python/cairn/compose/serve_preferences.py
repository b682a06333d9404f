"""serve_preferences: answers the links in messages."""

import os
from pathlib import Path

from cairn.adapters import aws
from cairn.adapters.documents.policy import policy_at
from cairn.adapters.dynamodb.customers import DynamoCustomers
from cairn.adapters.pages.preference_centre import PreferenceCentre
from cairn.adapters.pages.render import Pages
from cairn.adapters.s3 import NoOverflow
from cairn.adapters.sqs.events_queue import EventsQueue
from cairn.application.consent.serve_preferences import ServePreferences
from cairn.compose.links import signed_links
from cairn.compose.table import bind_table
from cairn.settings import ServePreferencesSettings


def serve_preferences() -> PreferenceCentre:
    settings = ServePreferencesSettings.from_environment(os.environ)
    bind_table(settings.table_name)
    policy = policy_at(Path(settings.policy_path))
    serve = ServePreferences(
        tokens=signed_links(settings),
        customers=DynamoCustomers(settings.identity_salt),
        inbox=EventsQueue(aws.client("sqs"), settings.events_queue_url, NoOverflow()),
        policy=policy,
        salt=settings.identity_salt,
    )
    return PreferenceCentre(serve, Pages(policy))
