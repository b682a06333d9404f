"""serve_in_app: answers the apps and sites that show an inbox."""

import os

from cairn.adapters import aws
from cairn.adapters.dynamodb.in_app import DynamoInAppInbox
from cairn.adapters.feedback.in_app import FeedbackQueue
from cairn.adapters.in_app.api import InAppApi
from cairn.application.message.serve_in_app import ServeInApp
from cairn.compose.links import in_app_tokens
from cairn.compose.table import bind_table
from cairn.settings import ServeInAppSettings


def serve_in_app() -> InAppApi:
    settings = ServeInAppSettings.from_environment(os.environ)
    bind_table(settings.table_name)
    return InAppApi(
        serve=ServeInApp(DynamoInAppInbox(), FeedbackQueue(aws.client("sqs"), settings.feedback_queue_url)),
        tokens=in_app_tokens(aws.client("secretsmanager"), settings.stage_secret_id),
        origins=frozenset(settings.in_app_origins.split()),
    )
