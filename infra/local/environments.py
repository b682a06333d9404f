"""The environment of each function of the local deployment."""

import json
import os
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from authoring.project import PEOPLE, POLICY
from cairn.adapters.documents.journey import status_reports_heard
from cairn.domain.measurement.facts import Stored
from cairn.settings import (
    CheckIdentityKeySettings,
    DeliverMessageSettings,
    EraseCustomerSettings,
    ImportRowsSettings,
    LogFactsSettings,
    ManageApiSettings,
    NotifySubscriberSettings,
    ProcessEventSettings,
    ReceiveWebhookSettings,
    RecordFeedbackSettings,
    RelayEffectsSettings,
    ServeConsoleSettings,
    ServeInAppSettings,
    ServePreferencesSettings,
    ServeTasksSettings,
    Settings,
    SweepSettings,
    queues_to_text,
)
from infra.local.cloud import EMAIL_SENDER, SCHEDULE_ROLE, Cloud, arn
from infra.local.end_user_messaging import SMS_CONFIGURATION_SET, SMS_ORIGINATION, WHATSAPP_PHONE_NUMBER_ID
from infra.local.fact_log import DATABASE, STREAMS, WORKGROUP
from infra.local.issuer import CLIENT, ISSUER, ROLES_CLAIM
from infra.local.wiring import DEAD_LETTERS, QUEUES, Function

if TYPE_CHECKING:
    from collections.abc import Callable


def settings_of(function: Function, cloud: Cloud, catalogue: Path) -> Settings:
    """The settings that the CDK would put into this function's environment."""
    made: dict[type[Settings], Callable[[], Settings]] = {
        ReceiveWebhookSettings: lambda: ReceiveWebhookSettings(
            stage="local",
            table_name=cloud.table,
            events_queue_url=cloud.urls["events"],
            overflow_bucket=cloud.bucket,
            identity_secret_id=cloud.identity_secret_id,
            stage_secret_id=cloud.secret_id,
            sources_path=str(cloud.configuration),
        ),
        ProcessEventSettings: lambda: ProcessEventSettings(
            stage="local",
            table_name=cloud.table,
            events_dead_letter_queue_url=cloud.urls["events-dead-letters"],
            wakes_dead_letter_queue_url=cloud.urls["wakes-dead-letters"],
            overflow_bucket=cloud.bucket,
            identity_secret_id=cloud.identity_secret_id,
            identity_fingerprint=cloud.identity_keys.fingerprint,
            phone_region="US",
            reply_languages="de es fr",
            bedrock_model=cloud.bedrock_model,
            journeys_path=str(catalogue),
            policy_path=str(catalogue.with_name(POLICY)),
            notices_queue_url=cloud.urls["notices"],
            people_path=str(catalogue.with_name(PEOPLE)),
        ),
        RelayEffectsSettings: lambda: RelayEffectsSettings(
            stage="local",
            table_name=cloud.table,
            events_queue_url=cloud.urls["events"],
            erasures_queue_url=cloud.urls["erasures"],
            effects_queue_url=cloud.urls["effects"],
            wakes_queue_url=cloud.urls["wakes"],
            wakes_queue_arn=arn("wakes"),
            wakes_dead_letter_queue_arn=arn("wakes-dead-letters"),
            schedule_group=cloud.group,
            schedule_role_arn=SCHEDULE_ROLE,
            messages_queue_url=cloud.urls["messages"],
            marketing_queue_url=cloud.urls["marketing"],
            notices_queue_url=cloud.urls["notices"],
            effects_dead_letter_queue_url=cloud.urls["effects-dead-letters"],
            alarm_topic_arn=cloud.alarm_topic_arn,
            policy_path=str(catalogue.with_name(POLICY)),
            people_path=str(catalogue.with_name(PEOPLE)),
        ),
        LogFactsSettings: lambda: LogFactsSettings(
            stage="local",
            table_name=cloud.table,
            long_stream=STREAMS[Stored.LONG],
            short_stream=STREAMS[Stored.SHORT],
        ),
        DeliverMessageSettings: lambda: DeliverMessageSettings(
            stage="local",
            table_name=cloud.table,
            messages_queue_url=cloud.urls["messages"],
            messages_queue_arn=arn("messages"),
            marketing_queue_url=cloud.urls["marketing"],
            marketing_queue_arn=arn("marketing"),
            messages_dead_letter_queue_url=cloud.urls["messages-dead-letters"],
            messages_dead_letter_queue_arn=arn("messages-dead-letters"),
            schedule_group=cloud.group,
            schedule_role_arn=SCHEDULE_ROLE,
            identity_secret_id=cloud.identity_secret_id,
            identity_fingerprint=cloud.identity_keys.fingerprint,
            policy_path=str(catalogue.with_name(POLICY)),
            journeys_path=str(catalogue),
            stage_secret_id=cloud.secret_id,
            public_url=cloud.public_url,
            email_sender=EMAIL_SENDER,
            email_configuration_set="cairn",
            sms_sender_id="",
            sms_origination=SMS_ORIGINATION if cloud.texts_by_end_user_messaging else "",
            sms_configuration_set=SMS_CONFIGURATION_SET if cloud.texts_by_end_user_messaging else "",
            whatsapp_phone_number_id=WHATSAPP_PHONE_NUMBER_ID,
            whatsapp_api_version="v25.0",
            feedback_queue_url=cloud.urls["feedback"],
        ),
        NotifySubscriberSettings: lambda: NotifySubscriberSettings(
            stage="local",
            table_name=cloud.table,
            events_queue_url=cloud.urls["events"],
            notices_queue_url=cloud.urls["notices"],
            notices_queue_arn=arn("notices"),
            notices_dead_letter_queue_url=cloud.urls["notices-dead-letters"],
            notices_dead_letter_queue_arn=arn("notices-dead-letters"),
            schedule_group=cloud.group,
            schedule_role_arn=SCHEDULE_ROLE,
            stage_secret_id=cloud.secret_id,
            subscribers_reach="loopback",
            public_url=cloud.public_url,
            email_sender=EMAIL_SENDER,
            sms_sender_id="",
            sms_origination=SMS_ORIGINATION if cloud.texts_by_end_user_messaging else "",
            policy_path=str(catalogue.with_name(POLICY)),
            people_path=str(catalogue.with_name(PEOPLE)),
        ),
        RecordFeedbackSettings: lambda: RecordFeedbackSettings(
            stage="local",
            table_name=cloud.table,
            events_queue_url=cloud.urls["events"],
            overflow_bucket=cloud.bucket,
            identity_secret_id=cloud.identity_secret_id,
            feedback_queue_url=cloud.urls["feedback"],
            feedback_dead_letter_queue_url=cloud.urls["feedback-dead-letters"],
            status_reports_heard=status_reports_heard(json.loads(catalogue.read_bytes())),
        ),
        ServePreferencesSettings: lambda: ServePreferencesSettings(
            stage="local",
            table_name=cloud.table,
            events_queue_url=cloud.urls["events"],
            stage_secret_id=cloud.secret_id,
            identity_secret_id=cloud.identity_secret_id,
            identity_fingerprint=cloud.identity_keys.fingerprint,
            policy_path=str(catalogue.with_name(POLICY)),
        ),
        ServeTasksSettings: lambda: ServeTasksSettings(
            stage="local",
            table_name=cloud.table,
            stage_secret_id=cloud.secret_id,
            identity_secret_id=cloud.identity_secret_id,
            identity_fingerprint=cloud.identity_keys.fingerprint,
            policy_path=str(catalogue.with_name(POLICY)),
            people_path=str(catalogue.with_name(PEOPLE)),
        ),
        ServeInAppSettings: lambda: ServeInAppSettings(
            stage="local",
            table_name=cloud.table,
            feedback_queue_url=cloud.urls["feedback"],
            stage_secret_id=cloud.secret_id,
            in_app_origins=os.environ.get("CAIRN_IN_APP_ORIGINS", ""),
        ),
        ManageApiSettings: lambda: _manage_api(cloud, catalogue),
        ServeConsoleSettings: lambda: ServeConsoleSettings(
            **asdict(_manage_api(cloud, catalogue)),
            console_issuer=ISSUER,
            console_client_id=CLIENT,
            console_roles_claim=ROLES_CLAIM,
        ),
        EraseCustomerSettings: lambda: EraseCustomerSettings(
            stage="local",
            table_name=cloud.table,
            identity_secret_id=cloud.identity_secret_id,
            identity_fingerprint=cloud.identity_keys.fingerprint,
            erasures_queue_url=cloud.urls["erasures"],
            erasures_dead_letter_queue_url=cloud.urls["erasures-dead-letters"],
            letters_queue_urls=" ".join(cloud.dead_letter_urls()),
            letters_wait_seconds="0",
            overflow_bucket=cloud.bucket,
            schedule_group=cloud.group,
        ),
        ImportRowsSettings: lambda: ImportRowsSettings(
            stage="local",
            table_name=cloud.table,
            identity_secret_id=cloud.identity_secret_id,
            identity_fingerprint=cloud.identity_keys.fingerprint,
            phone_region="US",
            journeys_path=str(catalogue),
            policy_path=str(catalogue.with_name(POLICY)),
        ),
        CheckIdentityKeySettings: lambda: CheckIdentityKeySettings(
            stage="local",
            table_name=cloud.table,
            identity_secret_id=cloud.identity_secret_id,
            stage_secret_id=cloud.secret_id,
        ),
        SweepSettings: lambda: SweepSettings(
            stage="local",
            table_name=cloud.table,
            wakes_queue_url=cloud.urls["wakes"],
            messages_queue_url=cloud.urls["messages"],
            marketing_queue_url=cloud.urls["marketing"],
            erasures_queue_url=cloud.urls["erasures"],
            work_queue_urls=_work_queues(cloud),
            dead_letter_queue_urls=_dead_letter_queues(cloud),
            journeys_path=str(catalogue),
            people_path=str(catalogue.with_name(PEOPLE)),
        ),
    }
    return made[function.settings]()


def _manage_api(cloud: Cloud, catalogue: Path) -> ManageApiSettings:
    return ManageApiSettings(
        stage="local",
        table_name=cloud.table,
        stage_secret_id=cloud.secret_id,
        work_queue_urls=_work_queues(cloud),
        dead_letter_queue_urls=_dead_letter_queues(cloud),
        letters_wait_seconds="0",
        facts_workgroup=WORKGROUP,
        facts_database=DATABASE,
        events_queue_url=cloud.urls["events"],
        messages_queue_url=cloud.urls["messages"],
        marketing_queue_url=cloud.urls["marketing"],
        identity_secret_id=cloud.identity_secret_id,
        identity_fingerprint=cloud.identity_keys.fingerprint,
        phone_region="US",
        journeys_path=str(catalogue),
        people_path=str(catalogue.with_name(PEOPLE)),
        policy_path=str(catalogue.with_name(POLICY)),
    )


def _work_queues(cloud: Cloud) -> str:
    return queues_to_text({one.name: cloud.urls[one.name] for one in QUEUES if one.dead_letter})


def _dead_letter_queues(cloud: Cloud) -> str:
    dead = [one.name for one in QUEUES if not one.dead_letter]
    return queues_to_text({name.removesuffix(DEAD_LETTERS): cloud.urls[name] for name in dead})
