"""Signed links: those in messages, and those that lead members to their tasks."""

from typing import Any

from cairn.adapters.in_app.tokens import InAppTokens
from cairn.adapters.pages.links import SECRET, SignedLinks
from cairn.adapters.pages.task_links import SignedTaskLinks
from cairn.adapters.secrets_manager import Part
from cairn.application.ports import Secrets
from cairn.compose.secrets import secrets_in
from cairn.domain.identity.identity_key import SuppressionKey
from cairn.settings import (
    DeliverMessageSettings,
    NotifySubscriberSettings,
    ServeConsoleSettings,
    ServePreferencesSettings,
    ServeTasksSettings,
)


def signed_links(
    client: Any, settings: DeliverMessageSettings | ServePreferencesSettings, key: SuppressionKey
) -> SignedLinks:
    public_url = settings.public_url if isinstance(settings, DeliverMessageSettings) else ""
    return SignedLinks(_secrets(client, settings.stage_secret_id), key=key, public_url=public_url)


def task_links(client: Any, settings: NotifySubscriberSettings | ServeTasksSettings) -> SignedTaskLinks:
    public_url = settings.public_url if isinstance(settings, NotifySubscriberSettings) else ""
    return SignedTaskLinks(_secrets(client, settings.stage_secret_id), public_url=public_url)


def in_app_tokens(client: Any, secret_id: str) -> InAppTokens:
    return InAppTokens(_secrets(client, secret_id))


def console_secrets(client: Any, settings: ServeConsoleSettings) -> Secrets:
    """The console signs its cookies with the secret of links, each kind in its own way."""
    return _secrets(client, settings.stage_secret_id)


def _secrets(client: Any, secret_id: str) -> Secrets:
    return secrets_in(client, secret_id, Part.LINKS, drawn=SECRET)
