"""Amazon Pinpoint's journeys and message templates, as its API gives and takes them.

The shapes and their names are those of the service's own model (botocore's `pinpoint/2016-12-01/service-2.json`); a
test compares each with it. A key that the service does not know is a problem, and null is the same as no key.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import AliasChoices, BaseModel, ConfigDict, Field, model_validator
from pydantic.alias_generators import to_pascal

Finite = Annotated[float, Field(allow_inf_nan=False)]


class Shape(BaseModel):
    model_config = ConfigDict(
        alias_generator=to_pascal, extra="forbid", frozen=True, strict=True, protected_namespaces=()
    )

    @model_validator(mode="before")
    @classmethod
    def _without_nulls(cls, written: Any) -> Any:
        is_mapping = isinstance(written, Mapping)
        return {key: value for key, value in written.items() if value is not None} if is_mapping else written


class JourneyCustomMessage(Shape):
    data: str = ""


class CustomMessageActivity(Shape):
    delivery_uri: str = ""
    endpoint_types: list[
        Literal[
            "PUSH",
            "GCM",
            "APNS",
            "APNS_SANDBOX",
            "APNS_VOIP",
            "APNS_VOIP_SANDBOX",
            "ADM",
            "SMS",
            "VOICE",
            "EMAIL",
            "BAIDU",
            "CUSTOM",
            "IN_APP",
        ]
    ] = Field(default_factory=list)
    message_config: JourneyCustomMessage | None = None
    next_activity: str = ""
    template_name: str = ""
    template_version: str = ""


class AttributeDimension(Shape):
    attribute_type: Literal["INCLUSIVE", "EXCLUSIVE", "CONTAINS", "BEFORE", "AFTER", "ON", "BETWEEN"] | None = None
    values: list[str]


class SetDimension(Shape):
    dimension_type: Literal["INCLUSIVE", "EXCLUSIVE"] | None = None
    values: list[str]


class MetricDimension(Shape):
    comparison_operator: str
    value: Finite


class EventDimensions(Shape):
    attributes: dict[str, AttributeDimension] = Field(default_factory=dict)
    event_type: SetDimension | None = None
    metrics: dict[str, MetricDimension] = Field(default_factory=dict)


class EventCondition(Shape):
    dimensions: EventDimensions | None = None
    message_activity: str = ""


class SegmentCondition(Shape):
    segment_id: str


class RecencyDimension(Shape):
    duration: Literal["HR_24", "DAY_7", "DAY_14", "DAY_30"]
    recency_type: Literal["ACTIVE", "INACTIVE"]


class SegmentBehaviors(Shape):
    recency: RecencyDimension | None = None


class SegmentDemographics(Shape):
    app_version: SetDimension | None = None
    channel: SetDimension | None = None
    device_type: SetDimension | None = None
    make: SetDimension | None = None
    model: SetDimension | None = None
    platform: SetDimension | None = None


class GPSCoordinates(Shape):
    latitude: Finite
    longitude: Finite


class GPSPointDimension(Shape):
    coordinates: GPSCoordinates
    range_in_kilometers: Finite | None = None


class SegmentLocation(Shape):
    country: SetDimension | None = None
    gps_point: GPSPointDimension | None = Field(alias="GPSPoint", default=None)


class SegmentDimensions(Shape):
    attributes: dict[str, AttributeDimension] = Field(default_factory=dict)
    behavior: SegmentBehaviors | None = None
    demographic: SegmentDemographics | None = None
    location: SegmentLocation | None = None
    metrics: dict[str, MetricDimension] = Field(default_factory=dict)
    user_attributes: dict[str, AttributeDimension] = Field(default_factory=dict)


class SimpleCondition(Shape):
    event_condition: EventCondition | None = None
    segment_condition: SegmentCondition | None = None
    segment_dimensions: SegmentDimensions | None = Field(
        validation_alias=AliasChoices("SegmentDimensions", "segmentDimensions"), default=None
    )


class Condition(Shape):
    conditions: list[SimpleCondition] = Field(default_factory=list)
    operator: Literal["ALL", "ANY"] | None = None


class WaitTime(Shape):
    wait_for: str = ""
    wait_until: str = ""


class ConditionalSplitActivity(Shape):
    condition: Condition | None = None
    evaluation_wait_time: WaitTime | None = None
    false_activity: str = ""
    true_activity: str = ""


class JourneyEmailMessage(Shape):
    from_address: str = ""


class EmailMessageActivity(Shape):
    message_config: JourneyEmailMessage | None = None
    next_activity: str = ""
    template_name: str = ""
    template_version: str = ""


class HoldoutActivity(Shape):
    next_activity: str = ""
    percentage: int


class MultiConditionalBranch(Shape):
    condition: SimpleCondition | None = None
    next_activity: str = ""


class MultiConditionalSplitActivity(Shape):
    branches: list[MultiConditionalBranch] = Field(default_factory=list)
    default_activity: str = ""
    evaluation_wait_time: WaitTime | None = None


class JourneyPushMessage(Shape):
    time_to_live: str = ""


class PushMessageActivity(Shape):
    message_config: JourneyPushMessage | None = None
    next_activity: str = ""
    template_name: str = ""
    template_version: str = ""


class RandomSplitEntry(Shape):
    next_activity: str = ""
    percentage: int | None = None


class RandomSplitActivity(Shape):
    branches: list[RandomSplitEntry] = Field(default_factory=list)


class JourneySMSMessage(Shape):
    message_type: Literal["TRANSACTIONAL", "PROMOTIONAL"] | None = None
    origination_number: str = ""
    sender_id: str = ""
    entity_id: str = ""
    template_id: str = ""


class SMSMessageActivity(Shape):
    message_config: JourneySMSMessage | None = None
    next_activity: str = ""
    template_name: str = ""
    template_version: str = ""


class WaitActivity(Shape):
    next_activity: str = ""
    wait_time: WaitTime | None = None


class ContactCenterActivity(Shape):
    next_activity: str = ""


class Activity(Shape):
    custom: CustomMessageActivity | None = Field(alias="CUSTOM", default=None)
    conditional_split: ConditionalSplitActivity | None = None
    description: str = ""
    email: EmailMessageActivity | None = Field(alias="EMAIL", default=None)
    holdout: HoldoutActivity | None = None
    multi_condition: MultiConditionalSplitActivity | None = None
    push: PushMessageActivity | None = Field(alias="PUSH", default=None)
    random_split: RandomSplitActivity | None = None
    sms: SMSMessageActivity | None = Field(alias="SMS", default=None)
    wait: WaitActivity | None = None
    contact_center: ContactCenterActivity | None = None


class JourneyTimeframeCap(Shape):
    cap: int | None = None
    days: int | None = None


class JourneyLimits(Shape):
    daily_cap: int | None = None
    endpoint_reentry_cap: int | None = None
    messages_per_second: int | None = None
    endpoint_reentry_interval: str = ""
    timeframe_cap: JourneyTimeframeCap | None = None
    total_cap: int | None = None


class QuietTime(Shape):
    end: str = ""
    start: str = ""


class JourneySchedule(Shape):
    end_time: str | float | None = None
    start_time: str | float | None = None
    timezone: str = ""


class EventFilter(Shape):
    dimensions: EventDimensions
    filter_type: Literal["SYSTEM", "ENDPOINT"]


class EventStartCondition(Shape):
    event_filter: EventFilter | None = None
    segment_id: str = ""


class StartCondition(Shape):
    description: str = ""
    event_start_condition: EventStartCondition | None = None
    segment_start_condition: SegmentCondition | None = None


class JourneyChannelSettings(Shape):
    connect_campaign_arn: str = ""
    connect_campaign_execution_role_arn: str = ""


class OpenHoursRule(Shape):
    start_time: str = ""
    end_time: str = ""


class OpenHours(Shape):
    email: dict[
        Literal["MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY", "SUNDAY"], list[OpenHoursRule]
    ] = Field(alias="EMAIL", default_factory=dict)
    sms: dict[
        Literal["MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY", "SUNDAY"], list[OpenHoursRule]
    ] = Field(alias="SMS", default_factory=dict)
    push: dict[
        Literal["MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY", "SUNDAY"], list[OpenHoursRule]
    ] = Field(alias="PUSH", default_factory=dict)
    voice: dict[
        Literal["MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY", "SUNDAY"], list[OpenHoursRule]
    ] = Field(alias="VOICE", default_factory=dict)
    custom: dict[
        Literal["MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY", "SUNDAY"], list[OpenHoursRule]
    ] = Field(alias="CUSTOM", default_factory=dict)


class ClosedDaysRule(Shape):
    name: str = ""
    start_date_time: str = ""
    end_date_time: str = ""


class ClosedDays(Shape):
    email: list[ClosedDaysRule] = Field(alias="EMAIL", default_factory=list)
    sms: list[ClosedDaysRule] = Field(alias="SMS", default_factory=list)
    push: list[ClosedDaysRule] = Field(alias="PUSH", default_factory=list)
    voice: list[ClosedDaysRule] = Field(alias="VOICE", default_factory=list)
    custom: list[ClosedDaysRule] = Field(alias="CUSTOM", default_factory=list)


class Journey(Shape):
    name: str
    activities: dict[str, Activity] = Field(default_factory=dict)
    application_id: str = ""
    creation_date: str = ""
    id: str = ""
    last_modified_date: str = ""
    limits: JourneyLimits | None = None
    local_time: bool | None = None
    quiet_time: QuietTime | None = None
    refresh_frequency: str = ""
    schedule: JourneySchedule | None = None
    start_activity: str = ""
    start_condition: StartCondition | None = None
    state: Literal["DRAFT", "ACTIVE", "COMPLETED", "CANCELLED", "CLOSED", "PAUSED"] | None = None
    tags: dict[str, str] = Field(alias="tags", default_factory=dict)
    wait_for_quiet_time: bool | None = None
    refresh_on_segment_update: bool | None = None
    journey_channel_settings: JourneyChannelSettings | None = None
    sending_schedule: bool | None = None
    open_hours: OpenHours | None = None
    closed_days: ClosedDays | None = None
    timezone_estimation_methods: list[Literal["PHONE_NUMBER", "POSTAL_CODE"]] = Field(default_factory=list)


class MessageHeader(Shape):
    name: str = ""
    value: str = ""


class EmailTemplateResponse(Shape):
    arn: str = ""
    creation_date: str
    default_substitutions: str = ""
    html_part: str = ""
    last_modified_date: str
    recommender_id: str = ""
    subject: str = ""
    headers: list[MessageHeader] = Field(default_factory=list)
    tags: dict[str, str] = Field(alias="tags", default_factory=dict)
    template_description: str = ""
    template_name: str
    template_type: Literal["EMAIL", "SMS", "VOICE", "PUSH", "INAPP"]
    text_part: str = ""
    version: str = ""


class SMSTemplateResponse(Shape):
    arn: str = ""
    body: str = ""
    creation_date: str
    default_substitutions: str = ""
    last_modified_date: str
    recommender_id: str = ""
    tags: dict[str, str] = Field(alias="tags", default_factory=dict)
    template_description: str = ""
    template_name: str
    template_type: Literal["EMAIL", "SMS", "VOICE", "PUSH", "INAPP"]
    version: str = ""


class AndroidPushNotificationTemplate(Shape):
    action: Literal["OPEN_APP", "DEEP_LINK", "URL"] | None = None
    body: str = ""
    image_icon_url: str = ""
    image_url: str = ""
    raw_content: str = ""
    small_image_icon_url: str = ""
    sound: str = ""
    title: str = ""
    url: str = ""


class APNSPushNotificationTemplate(Shape):
    action: Literal["OPEN_APP", "DEEP_LINK", "URL"] | None = None
    body: str = ""
    media_url: str = ""
    raw_content: str = ""
    sound: str = ""
    title: str = ""
    url: str = ""


class DefaultPushNotificationTemplate(Shape):
    action: Literal["OPEN_APP", "DEEP_LINK", "URL"] | None = None
    body: str = ""
    sound: str = ""
    title: str = ""
    url: str = ""


class PushNotificationTemplateResponse(Shape):
    adm: AndroidPushNotificationTemplate | None = Field(alias="ADM", default=None)
    apns: APNSPushNotificationTemplate | None = Field(alias="APNS", default=None)
    arn: str = ""
    baidu: AndroidPushNotificationTemplate | None = None
    creation_date: str
    default: DefaultPushNotificationTemplate | None = None
    default_substitutions: str = ""
    gcm: AndroidPushNotificationTemplate | None = Field(alias="GCM", default=None)
    last_modified_date: str
    recommender_id: str = ""
    tags: dict[str, str] = Field(alias="tags", default_factory=dict)
    template_description: str = ""
    template_name: str
    template_type: Literal["EMAIL", "SMS", "VOICE", "PUSH", "INAPP"]
    version: str = ""
