"""The signed links in messages: made by deliver_message, read by serve_preferences."""

from typing import Any

from cairn.adapters.pages.links import SECRET, SignedLinks
from cairn.adapters.secrets_manager import Part
from cairn.compose.secrets import secrets_in
from cairn.domain.identity.identity_key import SuppressionKey
from cairn.settings import DeliverMessageSettings, ServePreferencesSettings


def signed_links(
    client: Any, settings: DeliverMessageSettings | ServePreferencesSettings, key: SuppressionKey
) -> SignedLinks:
    public_url = settings.public_url if isinstance(settings, DeliverMessageSettings) else ""
    secrets = secrets_in(client, settings.stage_secret_id, Part.LINKS, drawn=SECRET)
    return SignedLinks(secrets, key=key, public_url=public_url)
