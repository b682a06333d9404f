"""Settings of a whole journey that Cairn has elsewhere, or not at all."""

from authoring.pinpoint.model import Journey, JourneyLimits, QuietTime
from authoring.pinpoint.notes import Notes

LONGEST_WINDOW = 30
"""Days for which policy.toml may count messages."""


def note_settings(journey: Journey, name: str, notes: Notes) -> None:
    if journey.limits:
        _note_limits(journey.limits, name, notes)
    if journey.quiet_time:
        _note_quiet_time(journey.quiet_time, notes)
    if journey.wait_for_quiet_time is False:
        message = "a message in quiet time is deferred here, and not left out"
        notes.add("WaitForQuietTime", message, "Write `useful_for` into a send that is of no use later.")
    if journey.local_time:
        message = "the first and the last day are those of the journey's zone, not of each customer"
        notes.add("LocalTime", message, "Move `entry.from` and `entry.until` by a day where that matters.")
    if journey.refresh_frequency:
        message = "there is no refresh: a condition counts when the profile changes"
        notes.add("RefreshFrequency", message, "Nothing is to be done.")
    if journey.refresh_on_segment_update:
        message = "a customer begins when the tag of the segment is added"
        notes.add("RefreshOnSegmentUpdate", message, "Add and remove the tag as the segment changes.")
    if journey.timezone_estimation_methods:
        methods = ", ".join(journey.timezone_estimation_methods)
        message = f"waits do not estimate a zone by {methods}; legal hours follow the number and `country`"
        notes.add("TimezoneEstimationMethods", message, "Set the attribute `time_zone` of your customers.")
    if journey.journey_channel_settings and journey.journey_channel_settings.connect_campaign_arn:
        arn = journey.journey_channel_settings.connect_campaign_arn
        message = f"the Connect campaign {arn} is not called"
        notes.add("JourneyChannelSettings", message, "People find their tasks in the queue contact-center.")
    if journey.state not in {None, "ACTIVE"}:
        message = f"its state is {journey.state}, and a journey that is deployed is active"
        notes.add("State", message, f"Pause it before you deploy: cairn switch pause journey:{name}.")


def _note_limits(limits: JourneyLimits, name: str, notes: Notes) -> None:
    if limits.daily_cap:
        fix = f'Write into policy.toml: [[caps]] limit = {limits.daily_cap}, window = "day", journey = "{name}".'
        notes.add("Limits.DailyCap", f"{limits.daily_cap} messages in 24 hours are not counted here", fix)
    if limits.total_cap:
        message = f"{limits.total_cap} messages to a customer in all cannot be counted"
        fix = f"See that no path sends more; policy.toml counts up to {LONGEST_WINDOW} days."
        notes.add("Limits.TotalCap", message, fix)
    cap = limits.timeframe_cap
    if cap and cap.cap and cap.days:
        window = f"{min(max(cap.days, 1), LONGEST_WINDOW)}d"
        fix = f'Write into policy.toml: [[caps]] limit = {cap.cap}, window = "{window}".'
        notes.add("Limits.TimeframeCap", f"{cap.cap} messages in {cap.days} days of all journeys", fix)
    if limits.messages_per_second:
        message = f"{limits.messages_per_second} messages a second are not a journey's limit here"
        fix = f"Write into policy.toml, for each channel: [[rates]] per_second = {limits.messages_per_second}."
        notes.add("Limits.MessagesPerSecond", message, fix)


def _note_quiet_time(quiet: QuietTime, notes: Notes) -> None:
    message = f"quiet time is {quiet.start or '…'} to {quiet.end or '…'}, and the policy has it for all journeys"
    hours = f'from = "{quiet.end or "…"}", to = "{quiet.start or "…"}"'
    notes.add("QuietTime", message, f"Write into policy.toml: [[hours]] {hours}, for its channels.")
