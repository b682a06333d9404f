"""manage_api: answers operators."""

import json
import os
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cairn.adapters import aws
from cairn.adapters.backoff import attempts
from cairn.adapters.documents.targets import Targets
from cairn.adapters.dynamodb.audit import DynamoAudit
from cairn.adapters.dynamodb.customers import DynamoCustomers
from cairn.adapters.dynamodb.export import DynamoCustomerExport
from cairn.adapters.dynamodb.reviews import DynamoReviews
from cairn.adapters.dynamodb.seen import DynamoSeenTypes
from cairn.adapters.dynamodb.suppressions import DynamoSuppressions
from cairn.adapters.dynamodb.switches import DynamoSwitches
from cairn.adapters.dynamodb.timeline import DynamoTimeline
from cairn.adapters.http.manage.router import ManageRouter
from cairn.adapters.phone.numbers import phones_of
from cairn.adapters.s3 import NoOverflow
from cairn.adapters.secrets_manager import identity_keys
from cairn.adapters.sqs.events_queue import EventsQueue
from cairn.adapters.sqs.message_queue import MessageQueue
from cairn.application.customer.find_customer import FindCustomer
from cairn.application.message.review_messages import ReviewMessages
from cairn.application.operations.operator_commands import OperatorCommands
from cairn.application.operations.switch import Switch
from cairn.application.privacy.export_customer import ExportCustomer, ExportForOperator
from cairn.compose.leads import leads_beside
from cairn.compose.table import bind_table
from cairn.domain.shared.channels import Purpose
from cairn.settings import ManageApiSettings, queues_from_text

if TYPE_CHECKING:
    from collections.abc import Callable

    from cairn.adapters.athena import AthenaFacts
    from cairn.adapters.http.manage.customers import CustomerRoutes
    from cairn.adapters.http.manage.messages import MessageRoutes
    from cairn.adapters.http.manage.people import PeopleRoutes
    from cairn.adapters.http.manage.quality import QualityRoutes
    from cairn.application.audience.ask_audiences import AskAudiences
    from cairn.application.audience.manage_broadcasts import ManageBroadcasts
    from cairn.application.audience.try_condition import TryCondition
    from cairn.application.customer.explain_decisions import ExplainDecisions
    from cairn.application.customer.make_in_app_token import MakeInAppToken
    from cairn.application.customer.show_lead import ShowLead
    from cairn.application.measurement.measure_journey import MeasureJourney
    from cairn.application.measurement.report_facts import ReportFacts
    from cairn.application.message.preview_messages import PreviewMessages
    from cairn.application.operations.answer_once import AnswerOnce
    from cairn.application.operations.choose_winner import ChooseWinner
    from cairn.application.operations.count_standing import CountStanding
    from cairn.application.operations.manage_dead_letters import ManageDeadLetters
    from cairn.application.operations.migrate_journey import MigrateJourney
    from cairn.application.operations.show_journeys import ShowJourneys
    from cairn.application.people.serve_inbox import ServeInbox
    from cairn.application.privacy.answer_requests import AnswerRequests
    from cairn.domain.lead.leads import Leads


MOST_READ = 200
"""Dead letters of one queue that one request reads: some seconds."""


def manage_api() -> ManageRouter:
    return router_of(ManageApiSettings.from_environment(os.environ))


def router_of(settings: ManageApiSettings) -> ManageRouter:
    """The routes of /manage; the console calls them, too."""
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
    leads = leads_beside(Path(settings.journeys_path))
    targets = Targets(Path(settings.journeys_path))

    def explain() -> "ExplainDecisions":
        from cairn.application.customer.explain_decisions import ExplainDecisions  # noqa: PLC0415  with the sentences

        return ExplainDecisions(find, timeline, suppressions, audit, leads, targets.time_zone)

    commands = OperatorCommands(
        find=find,
        customers=customers,
        inbox=inbox,
        audit=audit,
        suppressions=suppressions,
        keys=keys,
        leads=leads,
    )
    return ManageRouter(
        switch=Switch(board, targets, attempts),
        board=board,
        explain=explain,
        export=ExportForOperator(find, export, audit),
        commands=commands,
        customers=lambda: _customers(settings, find, timeline, audit, board, commands, targets),
        journeys=lambda: _journeys(settings, board),
        messages=lambda: _messages(settings, find, timeline, audit, commands),
        dead_letters=lambda: _dead_letters(settings, sqs, audit),
        migrate=lambda: _migrate(Path(settings.journeys_path), customers, inbox, audit),
        winner=lambda: _winner(Path(settings.journeys_path)),
        standing=lambda: _standing(Path(settings.journeys_path)),
        measure=lambda: _measure(settings),
        report=lambda: _report(settings),
        answer=lambda: _answer(find=find, history=timeline, export=export, inbox=inbox, audit=audit),
        review=ReviewMessages(find, DynamoReviews(), messages, audit),
        people=cache(
            lambda: _people(
                settings,
                explain,
                find=find,
                history=timeline,
                messages=messages,
                suppressions=suppressions,
                audit=audit,
            )
        ),
        audiences=lambda: _audiences(Path(settings.policy_path), settings.table_name, audit),
        try_condition=lambda: _try_condition(Path(settings.policy_path), settings.table_name, audit),
        broadcasts=lambda: _broadcasts(settings, audit, board),
        quality=lambda: _quality(normal_phone, find=find, commands=commands, audit=audit),
        audit=audit,
        seen=DynamoSeenTypes(aws.client("dynamodb", validated=True), settings.table_name),
        lead=lambda: _lead(find, audit, leads),
        in_app_token=lambda: _in_app_token(settings, find, audit),
        normal_phone=normal_phone,
        once=_once,
    )


def _once() -> "AnswerOnce":
    from cairn.adapters.dynamodb.answered_requests import DynamoAnsweredRequests  # noqa: PLC0415  few send a key
    from cairn.application.operations.answer_once import AnswerOnce  # noqa: PLC0415

    return AnswerOnce(DynamoAnsweredRequests())


def _customers(  # noqa: PLR0913, PLR0917  what both use cases need
    settings: ManageApiSettings,
    find: FindCustomer,
    history: DynamoTimeline,
    audit: DynamoAudit,
    board: DynamoSwitches,
    commands: OperatorCommands,
    targets: Targets,
) -> "CustomerRoutes":
    from cairn.adapters.documents.catalogue import Catalogue  # noqa: PLC0415  with the engine
    from cairn.adapters.dynamodb.chosen_arms import DynamoChosenArms  # noqa: PLC0415
    from cairn.adapters.http.manage.customers import CustomerRoutes  # noqa: PLC0415
    from cairn.application.customer.change_customer import ChangeCustomer  # noqa: PLC0415
    from cairn.application.customer.show_customer import ShowCustomer  # noqa: PLC0415

    journeys = Catalogue(Path(settings.journeys_path))
    return CustomerRoutes(
        show=ShowCustomer(find, history, audit, journeys, board, DynamoChosenArms(), targets.time_zone),
        change=ChangeCustomer(find, commands, journeys, journeys),
        normal_phone=phones_of(settings.phone_region),
    )


def _journeys(settings: ManageApiSettings, board: DynamoSwitches) -> "ShowJourneys":
    from cairn.adapters.documents.catalogue import Catalogue  # noqa: PLC0415  with the engine
    from cairn.application.operations.count_moves import CountMoves  # noqa: PLC0415
    from cairn.application.operations.show_journeys import ShowJourneys  # noqa: PLC0415

    journeys = Path(settings.journeys_path)
    return ShowJourneys(Catalogue(journeys), board, _standing(journeys), lambda: CountMoves(_facts(settings)))


def _messages(
    settings: ManageApiSettings,
    find: FindCustomer,
    history: DynamoTimeline,
    audit: DynamoAudit,
    commands: OperatorCommands,
) -> "MessageRoutes":
    from cairn.adapters.http.manage.messages import MessageRoutes  # noqa: PLC0415  few ask for messages
    from cairn.application.message.resend_message import ResendMessage  # noqa: PLC0415

    return MessageRoutes(
        preview=lambda: _preview(settings, find, audit),
        resend=ResendMessage(find, history, commands),
        normal_phone=phones_of(settings.phone_region),
    )


def _preview(settings: ManageApiSettings, find: FindCustomer, audit: DynamoAudit) -> "PreviewMessages":
    from cairn.adapters.documents.catalogue import Catalogue  # noqa: PLC0415  with the templates' engine
    from cairn.adapters.documents.policy import policy_at  # noqa: PLC0415
    from cairn.adapters.templates.renderer import JinjaRenderer, PlaceholderLinks  # noqa: PLC0415
    from cairn.application.message.preview_messages import PreviewMessages  # noqa: PLC0415

    journeys = Catalogue(Path(settings.journeys_path))
    renderer = JinjaRenderer(journeys, policy_at(Path(settings.policy_path)), PlaceholderLinks())
    return PreviewMessages(find, audit, journeys, renderer)


def _dead_letters(settings: ManageApiSettings, sqs: Any, audit: DynamoAudit) -> "ManageDeadLetters":
    from cairn.adapters.sqs.dead_letters import MARKETING, MESSAGES, DeadLetterQueue, DeadLetters  # noqa: PLC0415
    from cairn.application.operations.manage_dead_letters import ManageDeadLetters  # noqa: PLC0415
    from cairn.compose.dead_letters import redrive_effects, stream_is_redriven_elsewhere  # noqa: PLC0415

    work, dead = queues_from_text(settings.work_queue_urls), queues_from_text(settings.dead_letter_queue_urls)
    queues = {
        name: DeadLetterQueue(url, work.get(name, ""), work[MARKETING] if name == MESSAGES else "")
        for name, url in dead.items()
    }
    dead_letters = DeadLetters(
        sqs,
        queues,
        redrive_effects(sqs, work["effects"]),
        position=stream_is_redriven_elsewhere,
        wait_seconds=int(settings.letters_wait_seconds),
        most_read=MOST_READ,
        most_tried=MOST_READ,
    )
    return ManageDeadLetters(dead_letters, audit)


def _migrate(journeys: Path, customers: DynamoCustomers, inbox: EventsQueue, audit: DynamoAudit) -> "MigrateJourney":
    from cairn.adapters.documents.catalogue import Catalogue  # noqa: PLC0415  with the engine
    from cairn.adapters.dynamodb.overdue import DynamoDueTimes  # noqa: PLC0415
    from cairn.application.operations.migrate_journey import MigrateJourney  # noqa: PLC0415

    directory = Catalogue(journeys)
    return MigrateJourney(directory=directory, index=DynamoDueTimes(), customers=customers, inbox=inbox, audit=audit)


def _measure(settings: ManageApiSettings) -> "MeasureJourney":
    from cairn.adapters.documents.catalogue import Catalogue  # noqa: PLC0415  with the statistics
    from cairn.adapters.documents.plan import DocumentPlans  # noqa: PLC0415
    from cairn.adapters.documents.policy import overall_plan_at, prices_at  # noqa: PLC0415
    from cairn.application.measurement.measure_journey import MeasureJourney  # noqa: PLC0415

    policy = Path(settings.policy_path)
    plans = DocumentPlans(Catalogue(Path(settings.journeys_path)), overall_plan_at(policy))
    return MeasureJourney(plans, _facts(settings), prices_at(policy))


def _report(settings: ManageApiSettings) -> "ReportFacts":
    from cairn.adapters.documents.policy import stages_at  # noqa: PLC0415
    from cairn.application.measurement.report_facts import ReportFacts  # noqa: PLC0415

    return ReportFacts(_facts(settings), stages_at(Path(settings.policy_path)))


def _facts(settings: ManageApiSettings) -> "AthenaFacts":
    from cairn.adapters.athena import AthenaFacts  # noqa: PLC0415

    return AthenaFacts(aws.client("athena"), settings.facts_workgroup, settings.facts_database)


def _answer(**parts: Any) -> "AnswerRequests":
    from cairn.adapters.dynamodb.privacy_tasks import DynamoPrivacyTasks  # noqa: PLC0415
    from cairn.application.privacy.answer_requests import AnswerRequests  # noqa: PLC0415

    return AnswerRequests(tasks=DynamoPrivacyTasks(), **parts)


def _lead(find: FindCustomer, audit: DynamoAudit, leads: "Leads | None") -> "ShowLead":
    from cairn.application.customer.show_lead import ShowLead  # noqa: PLC0415

    return ShowLead(find, audit, leads)


def _in_app_token(settings: ManageApiSettings, find: FindCustomer, audit: DynamoAudit) -> "MakeInAppToken":
    from cairn.application.customer.make_in_app_token import MakeInAppToken  # noqa: PLC0415  few ask for a token
    from cairn.compose.links import in_app_tokens  # noqa: PLC0415  with the signatures

    return MakeInAppToken(find, audit, in_app_tokens(aws.client("secretsmanager"), settings.stage_secret_id))


def _people(settings: ManageApiSettings, explain: "Callable[[], ExplainDecisions]", **parts: Any) -> "PeopleRoutes":
    from cairn.adapters.documents.people import people_at  # noqa: PLC0415
    from cairn.adapters.documents.replies import replies_beside  # noqa: PLC0415
    from cairn.adapters.documents.scripts import Scripts  # noqa: PLC0415
    from cairn.adapters.dynamodb.members import DynamoDeals, DynamoMembers  # noqa: PLC0415
    from cairn.adapters.dynamodb.present_customers import DynamoPresentCustomers  # noqa: PLC0415
    from cairn.adapters.dynamodb.tasks import DynamoTasks  # noqa: PLC0415
    from cairn.adapters.http.manage.people import PeopleRoutes  # noqa: PLC0415
    from cairn.application.people.assign_tasks import AssignTasks  # noqa: PLC0415
    from cairn.application.people.manage_members import ManageMembers  # noqa: PLC0415
    from cairn.application.people.own_work import OwnWork  # noqa: PLC0415
    from cairn.application.people.work_on_tasks import WorkOnTasks  # noqa: PLC0415
    from cairn.compose.people import SCRIPTS  # noqa: PLC0415

    find, history = parts["find"], parts["history"]
    people, store = people_at(Path(settings.people_path)), DynamoTasks()
    replies = replies_beside(Path(settings.people_path))
    work = WorkOnTasks(
        store=store,
        customers=DynamoPresentCustomers(),
        history=history,
        find_customer=find,
        explain=explain,
        people=people,
        scripts=Scripts(Path(settings.people_path).with_name(SCRIPTS)),
        attempts=attempts,
        inbox=replies.queue if replies is not None else "",
    )
    return PeopleRoutes(
        tasks=work,
        members=ManageMembers(
            people=people,
            board=DynamoMembers(),
            store=store,
            assign=AssignTasks(store, people, attempts),
            deals=DynamoDeals(),
            attempts=attempts,
        ),
        own=OwnWork(work),
        inbox=lambda: _inbox(**parts, work=work, store=store, policy=Path(settings.policy_path)),
        normal_phone=phones_of(settings.phone_region),
    )


def _inbox(*, policy: Path, **parts: Any) -> "ServeInbox":
    from cairn.adapters.documents.policy import policy_at  # noqa: PLC0415  with the gate
    from cairn.adapters.phone.jurisdiction import jurisdiction_of  # noqa: PLC0415
    from cairn.application.people.serve_inbox import ServeInbox  # noqa: PLC0415

    return ServeInbox(**parts, policy=policy_at(policy), jurisdiction_of=jurisdiction_of)


def _quality(normal_phone: "Callable[[str], str | None]", **parts: Any) -> "QualityRoutes":
    from cairn.adapters.dynamodb.present_customers import DynamoPresentCustomers  # noqa: PLC0415  few requests need it
    from cairn.adapters.dynamodb.quality import DynamoQuality  # noqa: PLC0415
    from cairn.adapters.http.manage.quality import QualityRoutes  # noqa: PLC0415
    from cairn.application.quality.manage_quality import ManageQuality  # noqa: PLC0415

    manage = ManageQuality(store=DynamoQuality(), present=DynamoPresentCustomers(), **parts)
    return QualityRoutes(manage, normal_phone)


def _audiences(policy: Path, table_name: str, audit: DynamoAudit) -> "AskAudiences":
    from cairn.adapters.dynamodb.audiences import DynamoAudiences  # noqa: PLC0415  few requests are about audiences
    from cairn.application.audience.ask_audiences import AskAudiences  # noqa: PLC0415
    from cairn.compose.audiences import audiences_beside  # noqa: PLC0415
    from cairn.domain.audience.audiences import Audiences  # noqa: PLC0415

    index = DynamoAudiences(aws.client("dynamodb", validated=True), table_name)
    return AskAudiences(audiences_beside(policy) or Audiences(()), index, audit)


def _try_condition(policy: Path, table_name: str, audit: DynamoAudit) -> "TryCondition":
    from cairn.adapters.dynamodb.sampled_customers import SampledCustomers  # noqa: PLC0415  few try a condition
    from cairn.application.audience.try_condition import TryCondition  # noqa: PLC0415
    from cairn.compose.audiences import audiences_beside  # noqa: PLC0415
    from cairn.compose.leads import LEADS, leads_beside  # noqa: PLC0415

    leads, rules = leads_beside(policy), policy.with_name(LEADS)
    return TryCondition(
        audiences=audiences_beside(policy),
        leads=leads,
        rules=json.loads(rules.read_text(encoding="utf-8")) if leads is not None else {},
        lot=SampledCustomers(aws.client("dynamodb", validated=True), table_name),
        audit=audit,
    )


def _broadcasts(settings: ManageApiSettings, audit: DynamoAudit, board: DynamoSwitches) -> "ManageBroadcasts":
    from cairn.adapters.documents.catalogue import Catalogue  # noqa: PLC0415  with the engine
    from cairn.adapters.dynamodb.broadcasts import DynamoBroadcasts  # noqa: PLC0415
    from cairn.application.audience.manage_broadcasts import ManageBroadcasts  # noqa: PLC0415

    journeys = Path(settings.journeys_path)
    return ManageBroadcasts(
        ask=_audiences(Path(settings.policy_path), settings.table_name, audit),
        broadcasts=DynamoBroadcasts(aws.client("dynamodb", validated=True), settings.table_name),
        journeys=Catalogue(journeys),
        switch=Switch(board, Targets(journeys), attempts),
        audit=audit,
        attempts=attempts,
    )


def _winner(journeys: Path) -> "ChooseWinner":
    from cairn.adapters.documents.catalogue import Catalogue  # noqa: PLC0415  with the engine
    from cairn.adapters.dynamodb.arm_counts import DynamoArmCounts  # noqa: PLC0415
    from cairn.adapters.dynamodb.chosen_arms import DynamoChosenArms  # noqa: PLC0415
    from cairn.application.operations.choose_winner import ChooseWinner  # noqa: PLC0415

    return ChooseWinner(Catalogue(journeys), DynamoArmCounts(), DynamoChosenArms(), attempts)


def _standing(journeys: Path) -> "CountStanding":
    from cairn.adapters.documents.catalogue import Catalogue  # noqa: PLC0415  with the engine
    from cairn.adapters.dynamodb.overdue import DynamoDueTimes  # noqa: PLC0415
    from cairn.application.operations.count_standing import CountStanding  # noqa: PLC0415

    return CountStanding(Catalogue(journeys), DynamoDueTimes())
