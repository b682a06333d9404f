"""serve_console: signs operators in, and shows them the console."""

import os
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from cairn.adapters import aws
from cairn.adapters.console.app import Console
from cairn.adapters.console.session import SignedCookies
from cairn.adapters.console.sign_in import OpenIdConnect
from cairn.adapters.documents.policy import policy_at
from cairn.compose.links import console_secrets
from cairn.compose.manage_api import router_of
from cairn.settings import ServeConsoleSettings

if TYPE_CHECKING:
    from cairn.adapters.http.manage.router import ManageRouter


def serve_console() -> Console:
    settings = ServeConsoleSettings.from_environment(os.environ)
    secrets = cache(lambda: console_secrets(aws.client("secretsmanager"), settings))

    @cache
    def router() -> "ManageRouter":
        return router_of(settings)

    return Console(
        router=router,
        cookies=SignedCookies(secrets),
        issuer=OpenIdConnect(settings.console_issuer, settings.console_client_id, settings.console_roles_claim),
        brand=policy_at(Path(settings.policy_path)).brand,
        stage=settings.stage,
    )
