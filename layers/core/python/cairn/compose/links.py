"""The signed links in messages: made by deliver_message, read by serve_preferences."""

from typing import Any

from cairn.adapters.pages.links import SignedLinks
from cairn.compose.secrets import secrets_in
from cairn.domain.identity.identity_key import SuppressionKey
from cairn.settings import DeliverMessageSettings, ServePreferencesSettings


def signed_links(
    client: Any, settings: DeliverMessageSettings | ServePreferencesSettings, key: SuppressionKey
) -> SignedLinks:
    public_url = settings.public_url if isinstance(settings, DeliverMessageSettings) else ""
    return SignedLinks(secrets_in(client, settings.links_secret_id), key=key, public_url=public_url)
