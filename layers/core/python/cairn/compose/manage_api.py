"""manage_api: answers operators."""

import os
from pathlib import Path

from cairn.adapters import aws
from cairn.adapters.backoff import attempts
from cairn.adapters.documents.catalogue import Catalogue
from cairn.adapters.documents.policy import policy_at
from cairn.adapters.documents.replies import replies_beside
from cairn.adapters.documents.targets import Targets
from cairn.adapters.dynamodb.audit import DynamoAudit
from cairn.adapters.dynamodb.conversations import DynamoConversations
from cairn.adapters.dynamodb.customers import DynamoCustomers
from cairn.adapters.dynamodb.export import DynamoCustomerExport
from cairn.adapters.dynamodb.overdue import DynamoDueTimes
from cairn.adapters.dynamodb.privacy_tasks import DynamoPrivacyTasks
from cairn.adapters.dynamodb.reviews import DynamoReviews
from cairn.adapters.dynamodb.seen import DynamoSeenTypes
from cairn.adapters.dynamodb.suppressions import DynamoSuppressions
from cairn.adapters.dynamodb.switches import DynamoSwitches
from cairn.adapters.dynamodb.timeline import DynamoTimeline
from cairn.adapters.http.manage.router import ManageRouter
from cairn.adapters.phone.jurisdiction import jurisdiction_of
from cairn.adapters.phone.numbers import phones_of
from cairn.adapters.s3 import NoOverflow
from cairn.adapters.secrets_manager import identity_keys
from cairn.adapters.sqs.events_queue import EventsQueue
from cairn.adapters.sqs.message_queue import MessageQueue
from cairn.application.customer.explain_decisions import ExplainDecisions
from cairn.application.customer.find_customer import FindCustomer
from cairn.application.message.review_messages import ReviewMessages
from cairn.application.operations.migrate_journey import MigrateJourney
from cairn.application.operations.operator_commands import OperatorCommands
from cairn.application.operations.switch import Switch
from cairn.application.people.serve_inbox import ServeInbox
from cairn.application.privacy.answer_requests import AnswerRequests
from cairn.application.privacy.export_customer import ExportCustomer, ExportForOperator
from cairn.compose.table import bind_table
from cairn.domain.shared.channels import Purpose
from cairn.settings import ManageApiSettings


def manage_api() -> ManageRouter:
    settings = ManageApiSettings.from_environment(os.environ)
    bind_table(settings.table_name)
    sqs = aws.client("sqs")
    keys = identity_keys(aws.client("secretsmanager"), settings.identity_secret_id, settings.identity_fingerprint)
    customers, timeline, board, audit = DynamoCustomers(keys), DynamoTimeline(), DynamoSwitches(), DynamoAudit()
    suppressions = DynamoSuppressions(keys.suppressions)
    lanes = {Purpose.TRANSACTIONAL: settings.messages_queue_url, Purpose.MARKETING: settings.marketing_queue_url}
    messages = MessageQueue(sqs, lanes)
    normal_phone = phones_of(settings.phone_region)
    find = FindCustomer(customers, timeline, normal_phone)
    export = ExportCustomer(DynamoCustomerExport(keys).about)
    inbox = EventsQueue(sqs, settings.events_queue_url, NoOverflow(), keys.queue_groups)
    return ManageRouter(
        switch=Switch(board, Targets(Path(settings.journeys_path)), attempts),
        board=board,
        explain=ExplainDecisions(find, timeline, suppressions, audit),
        export=ExportForOperator(find, export, audit),
        commands=OperatorCommands(
            find=find,
            customers=customers,
            inbox=inbox,
            audit=audit,
            suppressions=suppressions,
            keys=keys,
        ),
        migrate=MigrateJourney(
            directory=Catalogue(Path(settings.journeys_path)),
            index=DynamoDueTimes(),
            customers=customers,
            inbox=inbox,
            audit=audit,
        ),
        answer=AnswerRequests(find, DynamoPrivacyTasks(), timeline, export, inbox, audit),
        review=ReviewMessages(find, DynamoReviews(), messages, audit),
        inbox=ServeInbox(
            find=find,
            conversations=DynamoConversations(),
            history=timeline,
            tasks=timeline,
            messages=messages,
            suppressions=suppressions,
            audit=audit,
            policy=policy_at(Path(settings.policy_path)),
            jurisdiction_of=jurisdiction_of,
            replies=replies_beside(Path(settings.policy_path)),
        ),
        audit=audit,
        seen=DynamoSeenTypes(aws.client("dynamodb", validated=True), settings.table_name),
        normal_phone=normal_phone,
    )
