"""The signed links in messages: made by deliver_message, read by serve_preferences."""

from cairn.adapters import aws
from cairn.adapters.pages.links import SignedLinks
from cairn.adapters.secrets_manager import SourceSecrets
from cairn.settings import DeliverMessageSettings, ServePreferencesSettings


def signed_links(settings: DeliverMessageSettings | ServePreferencesSettings) -> SignedLinks:
    secrets = SourceSecrets(aws.client("secretsmanager"), settings.links_secret_id)
    public_url = settings.public_url if isinstance(settings, DeliverMessageSettings) else ""
    return SignedLinks(secrets, salt=settings.identity_salt, public_url=public_url)
