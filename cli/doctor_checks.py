"""What `cairn doctor` makes of an account's answers: pure functions, one for each check, in the order of go-live.md."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol

from cairn.adapters.secrets_manager import Part
from cairn.domain.policy import Rate
from cairn.domain.shared.channels import Channel
from infra.cloud.bundle.bytecode import INSTALL, NAME
from infra.cloud.stage import CERTIFICATE, Stage

BOOTSTRAP_VERSION = 6
"""The least version of the CDK's bootstrap stack that our templates ask for; tests/infra compares it with them."""

MIN_UNRESERVED = 100
"""Lambda leaves so much of an account's concurrency to functions that reserve none.

https://docs.aws.amazon.com/lambda/latest/dg/configuration-concurrency.html
"""

STAGE_SECRET = "SourcesSecret"  # noqa: S105
"""The name in the template of the stage's secret."""

UPGRADING = "docs/operations.md, Upgrading from 0.2"

EVENT_QUEUES = 2
MESSAGE_QUEUES = 2
"""The queues that start process_event, and deliver_message; each has the stage's concurrency for itself."""

INVOCATIONS = "Invocations throttle limit"
SCHEDULES = "Number of schedules"
"""How the names of EventBridge Scheduler's quotas begin.

https://docs.aws.amazon.com/scheduler/latest/UserGuide/scheduler-quotas.html
"""

DEFAULT_SCHEDULES = 10_000_000
"""The quota that every account begins with."""

DEFAULT_SMS_SPEND_LIMIT = 1.0
"""USD a month of text messages, until AWS raises it.

https://docs.aws.amazon.com/sns/latest/dg/channels-sms-awssupport-spend-threshold.html
"""

PENDING = "PendingConfirmation"
"""What SNS answers in place of a subscription's ARN, until its owner has confirmed it."""


class State(StrEnum):
    OK = "ok"
    TO_DO = "to do"
    UNKNOWN = "cannot tell"


class Stops(StrEnum):
    """The work that cannot go on until something is done."""

    DEPLOYMENT = "deployment"
    MESSAGES = "messages"
    NOTHING = ""


class Unanswered(Exception):  # noqa: N818  no error: a check without an answer has a state of its own
    """The account gives no answer. The message gives the reason, `fix` the way to get one."""

    def __init__(self, why: str, fix: str) -> None:
        super().__init__(why)
        self.fix = fix


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check found. `setting` is the name of a setting or quota, `fix` what to do."""

    setting: str
    state: State
    found: str
    fix: str = ""
    stops: Stops = Stops.NOTHING


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The stage that is to be deployed, and the files that go with it."""

    stage: Stage
    rates: Sequence[Rate]
    channels: frozenset[Channel]
    """On which the journeys send."""
    sources: Sequence[str]
    """The names of the secrets that the sources which are on need."""
    endpoints: Sequence[str]
    """The names of the secrets that the webhook endpoints of the policy need."""

    def setting(self, field: str) -> str:
        return f"stages.{self.stage.name}.{field}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Concurrency:
    """Lambda's concurrent executions in this region."""

    total: int
    unreserved: int
    """What no function of the account has reserved."""
    own: int = 0
    """What the deployed receive_webhook has reserved."""
    granted: float | None = None
    """What Service Quotas shows; it can be ahead of Lambda by some hours. None: it does not say."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EmailAccount:
    production: bool
    sending: bool
    review: str
    """Of the request for production access: PENDING, FAILED, GRANTED, DENIED; empty without one."""
    per_day: float
    per_second: float


@dataclass(frozen=True, slots=True, kw_only=True)
class EmailIdentity:
    """The identity of SES that covers the sender: the address itself, its domain, or a domain above that."""

    name: str
    verified: bool
    dkim: str
    signing: bool
    mail_from: str = ""
    mail_from_status: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """The certificate of the stage's domain."""

    here: str
    """The region that is asked, in which the stage is deployed."""
    status: str | None
    """ACM's, such as ISSUED; None where ACM has no such certificate here."""
    names: Sequence[str] = ()
    """The domains that it is for, some with `*` as their first label."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Origination:
    """The number or pool that texts come from."""

    status: str
    two_way: bool
    channel: str
    """The ARN of the topic that replies go to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TableState:
    name: str
    streams: bool
    """The stream has both images."""
    expires: bool
    """Items are deleted at `expires_at`."""
    recoverable: bool
    """Point-in-time recovery is on."""


class Account(Protocol):
    """The questions. Each raises Unanswered."""

    def python(self) -> str | None:
        """A Python on this machine that compiles for the functions."""

    def bootstrap_version(self) -> int | None: ...
    def concurrency(self) -> Concurrency: ...
    def scheduler_quotas(self) -> Mapping[str, float]: ...
    def email_account(self) -> EmailAccount: ...
    def email_identity(self) -> EmailIdentity | None: ...
    def sms_sandbox(self) -> bool: ...

    def sms_spend_limit(self) -> float:
        """USD a month."""

    def certificate(self) -> Certificate: ...
    def origination(self) -> Origination: ...
    def sms_topic(self) -> str: ...
    def whatsapp_topic(self) -> str: ...

    def whatsapp_destinations(self) -> Sequence[str] | None:
        """Of the business account that has the stage's number; None where none has."""

    def secrets_of_before(self) -> Mapping[str, bool]:
        """The parts of the stage's secret for which the stack still has one of version 0.2; whether it is joined."""

    def unusable_secrets(self) -> Mapping[tuple[Part, str], str]:
        """Each secret that is missing or refused, by its part and name, and why; no value of a secret."""

    def table(self) -> TableState: ...

    def alarm_recipients(self) -> Mapping[str, str]:
        """The address of each subscription of the alarm topic, and the subscription's ARN."""


def settings(plan: Plan, _answer: None) -> list[Finding]:
    problems = plan.stage.problems()
    if not problems:
        return [Finding(f"stages.{plan.stage.name}", State.OK, "complete")]
    split = [problem.partition(": ") for problem in problems]
    return [
        Finding(plan.setting(field), State.TO_DO, "cannot work as it is", f"cdk.json: {what}", Stops.DEPLOYMENT)
        for field, _, what in split
    ]


def rates(plan: Plan, _answer: None) -> list[Finding]:
    missing = [
        one for one in sorted(plan.channels - {Channel.PUSH}) if one not in {rate.channel for rate in plan.rates}
    ]
    if not missing:
        return [Finding("[[rates]]", State.OK, "one for each channel that the journeys send on")]
    first, *others = (f'"{one}"' for one in missing)
    same = f"; the same for {', '.join(others)}" if others else ""
    return [
        Finding(
            "[[rates]]",
            State.TO_DO,
            f"none for {', '.join(missing)}: a broadcast runs into the provider's throttling",
            f"policy.toml: [[rates]] with channel = {first} and per_second = what the provider takes{same}",
            Stops.MESSAGES,
        )
    ]


def python(_plan: Plan, answer: str | None) -> list[Finding]:
    if answer:
        return [Finding(NAME, State.OK, "found; layers ship with bytecode")]
    return [Finding(NAME, State.TO_DO, "not on this machine: cold starts take 2.2 x as long", INSTALL)]


def bootstrap(_plan: Plan, answer: int | None) -> list[Finding]:
    if answer is not None and answer >= BOOTSTRAP_VERSION:
        return [Finding("bootstrap stack", State.OK, f"version {answer}, and the CDK asks for {BOOTSTRAP_VERSION}")]
    found = "not in this region" if answer is None else f"version {answer}, and the CDK asks for {BOOTSTRAP_VERSION}"
    return [Finding("bootstrap stack", State.TO_DO, found, "npx aws-cdk@2.1148.1 bootstrap", Stops.DEPLOYMENT)]


def lambda_concurrency(plan: Plan, answer: Concurrency) -> list[Finding]:
    stage = plan.stage
    reserved = stage.webhook_concurrency
    spare = answer.unreserved + answer.own - min(MIN_UNRESERVED, answer.total)
    at_once = reserved + EVENT_QUEUES * stage.event_concurrency + MESSAGE_QUEUES * stage.delivery_concurrency
    quota = "Concurrent executions"
    ask = f"Service Quotas, AWS Lambda, {quota}: ask for {_rounded(at_once + MIN_UNRESERVED)}"
    if answer.granted is not None and answer.granted > answer.total:
        ask = f"{answer.granted:,.0f} are granted and not in force yet: ask again in some hours"
    if reserved > spare:
        return [
            Finding(
                plan.setting("webhook_concurrency"),
                State.TO_DO,
                f"reserves {reserved}, and of {quota} ({answer.total:,}) only {max(spare, 0):,} can be reserved",
                f"{ask}; or write webhook_concurrency: {max(spare, 0)}",
                Stops.DEPLOYMENT,
            )
        ]
    if at_once > answer.total:
        found = f"{answer.total:,}, and the stage may use {at_once:,} at once: what is throttled waits"
        return [Finding(quota, State.TO_DO, found, ask)]
    return [Finding(quota, State.OK, f"{answer.total:,}; the stage reserves {reserved} and uses {at_once} at most")]


def scheduler(plan: Plan, answer: Mapping[str, float]) -> list[Finding]:
    wanted = sum(rate.per_second for rate in plan.rates)
    invocations, schedules = _quota(answer, INVOCATIONS), _quota(answer, SCHEDULES)
    if invocations is None or schedules is None:
        lacking = INVOCATIONS if invocations is None else SCHEDULES
        fix = "Look in the Service Quotas console, under Amazon EventBridge Scheduler"
        return [Finding(lacking, State.UNKNOWN, "Service Quotas does not list it", fix)]
    ask = "Service Quotas, Amazon EventBridge Scheduler, {}: ask for {}"
    if invocations < wanted:
        found = f"{invocations:,.0f} a second, and [[rates]] has {wanted:,.0f}: timers fire late"
        return [Finding(INVOCATIONS, State.TO_DO, found, ask.format(INVOCATIONS, _rounded(wanted)))]
    if schedules < DEFAULT_SCHEDULES:
        found = f"{schedules:,.0f}: each customer who waits for 15 minutes or more needs one"
        return [Finding(SCHEDULES, State.TO_DO, found, ask.format(SCHEDULES, f"{DEFAULT_SCHEDULES:,}"))]
    return [Finding(INVOCATIONS, State.OK, f"{invocations:,.0f} a second; {SCHEDULES} {schedules:,.0f}")]


def production_access(_plan: Plan, answer: EmailAccount) -> list[Finding]:
    if not answer.production:
        asked = {
            "PENDING": "It is asked for: wait for AWS's answer, about a day",
            "DENIED": "AWS has refused it: answer in the support case",
        }
        fix = asked.get(answer.review, "SES console, Account dashboard: Request production access")
        found = f"in the sandbox: {answer.per_day:,.0f} e-mails a day, only to addresses that you have verified"
        return [Finding("SES", State.TO_DO, found, fix, Stops.MESSAGES)]
    if not answer.sending:
        found = "AWS has paused sending for this account"
        return [Finding("SES", State.TO_DO, found, "SES console, Reputation metrics: see why", Stops.MESSAGES)]
    return [Finding("SES", State.OK, "out of the sandbox")]


def sending_quota(plan: Plan, answer: EmailAccount) -> list[Finding]:
    rate = sum(one.per_second for one in plan.rates if one.channel is Channel.EMAIL and not one.country)
    has = f"{answer.per_second:g} a second, {answer.per_day:,.0f} a day"
    if rate > answer.per_second:
        fix = (
            f"Service Quotas, Amazon SES, Sending rate: ask for {rate:g}; or write per_second = {answer.per_second:g} "
            "in policy.toml"
        )
        found = f"SES takes {has}, and [[rates]] has {rate:g} a second: it throttles the rest"
        return [Finding("Sending rate", State.TO_DO, found, fix)]
    beside = f"; [[rates]] has {rate:g} a second" if rate else ""
    return [Finding("Sending rate", State.OK, f"{has}{beside}")]


def sender(plan: Plan, answer: EmailIdentity | None) -> list[Finding]:
    setting = plan.setting("email_sender")
    if answer is not None and answer.verified:
        return [Finding(setting, State.OK, f"{answer.name} is verified")]
    found = f"{answer.name} is not verified yet" if answer else "SES has no identity of it, nor of its domain"
    fix = "SES console, Identities: create the domain, and put its records into your DNS"
    return [Finding(setting, State.TO_DO, found, fix, Stops.MESSAGES)]


def dkim(plan: Plan, answer: EmailIdentity | None) -> list[Finding]:
    if answer is None:
        raise _no_identity(plan)
    if answer.signing and answer.dkim == "SUCCESS":
        return [Finding(answer.name, State.OK, "signs")]
    found = f"DKIM is {answer.dkim.lower().replace('_', ' ')}" if answer.signing else "DKIM is off"
    fix = f"SES console, Identities, {answer.name}, Authentication: turn it on, and put its CNAME records into your DNS"
    return [Finding(answer.name, State.TO_DO, f"{found}: Gmail and Yahoo refuse bulk mail without it", fix)]


def mail_from(plan: Plan, answer: EmailIdentity | None) -> list[Finding]:
    if answer is None:
        raise _no_identity(plan)
    if answer.mail_from and answer.mail_from_status == "SUCCESS":
        return [Finding(answer.name, State.OK, answer.mail_from)]
    status = answer.mail_from_status.lower().replace("_", " ")
    found = f"{answer.mail_from} is {status}" if answer.mail_from else "none: SPF passes for amazonses.com, not for you"
    fix = f"SES console, Identities, {answer.name}, Custom MAIL FROM domain: set one, and its MX and TXT records"
    return [Finding(answer.name, State.TO_DO, found, fix)]


def sms_sandbox(plan: Plan, answer: bool) -> list[Finding]:  # noqa: FBT001  the account's answer
    if not answer:
        return [Finding("SMS", State.OK, "out of the sandbox")]
    fix = (
        "End User Messaging console, SMS, Overview: Request production access"
        if plan.stage.sms_origination
        else "SNS console, Text messaging (SMS): Exit SMS sandbox"
    )
    found = "in the sandbox: texts reach only numbers that you have verified"
    return [Finding("SMS", State.TO_DO, found, fix, Stops.MESSAGES)]


def sms_spend_limit(plan: Plan, answer: float) -> list[Finding]:
    setting = "TEXT_MESSAGE_MONTHLY_SPEND_LIMIT" if plan.stage.sms_origination else "MonthlySpendLimit"
    if answer > DEFAULT_SMS_SPEND_LIMIT:
        return [Finding(setting, State.OK, f"{answer:,.0f} USD a month; texts stop there")]
    found = f"{answer:g} USD a month, about a hundred texts; then they stop"
    fix = "Service Quotas, AWS End User Messaging SMS: ask for what you spend in a month, then set the limit to it"
    return [Finding(setting, State.TO_DO, found, fix, Stops.MESSAGES)]


def domain(plan: Plan, answer: Certificate) -> list[Finding]:
    setting, name = plan.setting("certificate_arn"), plan.stage.domain_name
    written = CERTIFICATE.fullmatch(plan.stage.certificate_arn)
    fix = f"ACM console, in {answer.here}: request one for {name}, put its record into your DNS, and write its ARN"
    if written and written["region"] != answer.here:
        found = f"is of {written['region']}; API Gateway takes certificates of {answer.here} alone"
    elif answer.status is None:
        found = f"ACM in {answer.here} has no such certificate"
    elif answer.status != "ISSUED":
        found, fix = f"is {answer.status.lower()}", "ACM console: put the record that it shows into your DNS, and wait"
    elif not {name, f"*.{name.partition('.')[2]}"} & set(answer.names):
        found = f"is for {', '.join(answer.names)}, not for {name}"
    else:
        return [Finding(setting, State.OK, f"is issued, for {name}")]
    return [Finding(setting, State.TO_DO, found, fix, Stops.DEPLOYMENT)]


def two_way(plan: Plan, answer: tuple[Origination, str]) -> list[Finding]:
    number, topic = answer
    setting = plan.setting("sms_origination")
    if number.status != "ACTIVE":
        found = f"is {number.status.lower()}, not active"
        fix = "End User Messaging console: see what its registration waits for"
        return [Finding(setting, State.TO_DO, found, fix, Stops.MESSAGES)]
    if number.two_way and number.channel == topic:
        return [Finding(setting, State.OK, "replies go to SmsTopicArn")]
    found = "its replies go elsewhere" if number.two_way else "takes no replies, so a STOP is not heard"
    fix = f"End User Messaging console, the number or pool, Two-way SMS: the topic {topic}"
    return [Finding(setting, State.TO_DO, found, fix, Stops.MESSAGES)]


def whatsapp(plan: Plan, answer: tuple[Sequence[str] | None, str]) -> list[Finding]:
    destinations, topic = answer
    setting = plan.setting("whatsapp_phone_number_id")
    if destinations is None:
        fix = "End User Messaging console, Social messaging: link the business account that has the number"
        return [Finding(setting, State.TO_DO, "no linked business account has this number", fix, Stops.MESSAGES)]
    if topic in destinations:
        return [Finding(setting, State.OK, "reports and replies go to WhatsAppTopicArn")]
    fix = f"End User Messaging console, Social messaging, Event destinations: the topic {topic}"
    return [Finding(setting, State.TO_DO, "reports and replies go elsewhere", fix, Stops.MESSAGES)]


def secrets(plan: Plan, answer: tuple[Mapping[str, bool], Mapping[tuple[Part, str], str]]) -> list[Finding]:
    before, unusable = answer
    if unjoined := [part for part, joined in before.items() if not joined]:
        found = f"{' and '.join(unjoined)} stand in secrets of version 0.2"
        command = f"cairn secrets join --stack Cairn-{plan.stage.name}"
        fix = f"`{command}`, then deploy ({UPGRADING})"
        return [Finding(STAGE_SECRET, State.TO_DO, found, fix, Stops.DEPLOYMENT)]
    return [_usable(plan, unusable), *([_joined(plan, before)] if before else [])]


def _joined(plan: Plan, before: Mapping[str, bool]) -> Finding:
    found = f"{' and '.join(before)} are joined, and the stack still has their secrets of version 0.2"
    fix = f"Deploy Cairn-{plan.stage.name}, first with -c upgrade_from=0.2 ({UPGRADING})"
    return Finding(STAGE_SECRET, State.TO_DO, found, fix)


def _usable(plan: Plan, unusable: Mapping[tuple[Part, str], str]) -> Finding:
    if not unusable:
        found = "a secret for links, each source that is on, and each webhook endpoint"
        return Finding(STAGE_SECRET, State.OK, found)
    described = ", ".join(f"{name} {why}" for (_, name), why in unusable.items())
    none = not any((Part.SOURCES, name) not in unusable for name in plan.sources)
    no_links = any(part is Part.LINKS for part, _ in unusable)
    labels = " and ".join(dict.fromkeys(part for part, _ in unusable))
    fix = (
        f"Secrets Manager, {STAGE_SECRET}, version {labels}: add them. A source that you do not use: sources.toml, "
        "disabled = […]"
    )
    stops = Stops.MESSAGES if none or no_links else Stops.NOTHING
    return Finding(f"{STAGE_SECRET}, {labels}", State.TO_DO, described, fix, stops)


def table(_plan: Plan, answer: TableState) -> list[Finding]:
    lacking = [
        what
        for is_on, what in (
            (answer.streams, "stream of new and old images"),
            (answer.expires, "time to live by expires_at"),
            (answer.recoverable, "point-in-time recovery"),
        )
        if not is_on
    ]
    if not lacking:
        return [Finding(answer.name, State.OK, "stream, time to live and point-in-time recovery are on")]
    stops = Stops.NOTHING if answer.streams else Stops.MESSAGES
    fix = "docs/go-live.md, Restore from a backup, has the commands"
    return [Finding(answer.name, State.TO_DO, f"without {', '.join(lacking)}", fix, stops)]


def recipients(plan: Plan, answer: Mapping[str, str]) -> list[Finding]:
    setting = plan.setting("alarm_email")
    confirmed = [address for address, arn in answer.items() if arn.startswith("arn:")]
    pending = [address for address, arn in answer.items() if arn == PENDING]
    if pending:
        fix = (
            "Open the e-mail “AWS Notification - Subscription Confirmation” there, and confirm. No e-mail: deploy again"
        )
        return [Finding(setting, State.TO_DO, f"{', '.join(pending)} has not confirmed", fix)]
    if confirmed:
        return [Finding(setting, State.OK, f"{', '.join(confirmed)} has confirmed")]
    return [Finding(setting, State.TO_DO, "alarms reach nobody", "cdk.json: alarm_email; then deploy")]


@dataclass(frozen=True, slots=True)
class Check:
    """One check. Its name is the heading of its section in docs/go-live.md."""

    name: str
    ask: Callable[[Account], Any]
    conclude: Callable[[Plan, Any], list[Finding]]
    needed: Callable[[Plan], Finding | None] = lambda _plan: None
    """A finding that makes the question needless."""
    person: bool = False
    """No API answers it."""

    def findings(self, plan: Plan, account: Account) -> list[Finding]:
        """What the account's answer means. Without an answer its state is UNKNOWN."""
        if (settled := self.needed(plan)) is not None:
            return [settled]
        try:
            return self.conclude(plan, self.ask(account))
        except Unanswered as unanswered:
            return [Finding("", State.UNKNOWN, str(unanswered), unanswered.fix)]


def confirm(setting: str, what: str) -> Callable[[Plan, None], list[Finding]]:
    """The finding of what a person confirms."""
    return lambda _plan, _answer: [Finding(setting, State.UNKNOWN, "no API says so", f"Confirm yourself: {what}")]


def examine(plan: Plan, account: Account) -> list[tuple[Check, Finding]]:
    """Every check with what it found, in order."""
    return [(check, finding) for check in CHECKS for finding in check.findings(plan, account)]


def blocks(plan: Plan, finding: Finding) -> bool:
    """Whether it must be done first. A stage that does not keep its data may run without sending to strangers."""
    if finding.state is not State.TO_DO:
        return False
    return finding.stops is Stops.DEPLOYMENT or (finding.stops is Stops.MESSAGES and plan.stage.keep_data)


def _nothing(_account: Account) -> None:
    return None


def _unused(setting: str, *channels: Channel) -> Finding:
    return Finding(setting, State.OK, f"not needed: no journey sends by {' or '.join(channels)}")


def _texts(plan: Plan) -> Finding | None:
    return None if Channel.SMS in plan.channels else _unused("SMS", Channel.SMS)


def _domain(plan: Plan) -> Finding | None:
    if plan.stage.domain_name and plan.stage.certificate_arn:
        return None
    return Finding(plan.setting("domain_name"), State.OK, "not set: the API has the address that AWS gives it")


def _replies(plan: Plan) -> Finding | None:
    setting = plan.setting("sms_origination")
    if not plan.stage.sms_origination:
        return _texts(plan) or Finding(
            setting, State.OK, "not set: texts go by SNS, which answers STOP itself and passes no reply on"
        )
    return None


def _emails(plan: Plan) -> Finding | None:
    if (unused := _emails_at_all(plan)) is not None:
        return unused
    if "@" not in plan.stage.email_sender:
        return Finding(plan.setting("email_sender"), State.UNKNOWN, "blank", "Write it first, in cdk.json")
    return None


def _emails_at_all(plan: Plan) -> Finding | None:
    return None if Channel.EMAIL in plan.channels else _unused("SES", Channel.EMAIL)


def _whatsapp(plan: Plan) -> Finding | None:
    if plan.stage.whatsapp_phone_number_id:
        return None
    if Channel.WHATSAPP in plan.channels:
        found, fix = "not set, and journeys send by WhatsApp", "cdk.json: phone-number-id-…, of End User Messaging"
        return Finding(plan.setting("whatsapp_phone_number_id"), State.TO_DO, found, fix, Stops.MESSAGES)
    return Finding(plan.setting("whatsapp_phone_number_id"), State.OK, "not set: no WhatsApp")


def _no_identity(plan: Plan) -> Unanswered:
    return Unanswered(f"{plan.setting('email_sender')} has no identity in SES", "Create it first (see Sender)")


def _quota(quotas: Mapping[str, float], name: str) -> float | None:
    return next((value for one, value in quotas.items() if one.startswith(name)), None)


def _rounded(number: float) -> str:
    """Up to the next thousand, as people ask for quotas."""
    return f"{-(-int(number) // 1000) * 1000:,}"


CHECKS: tuple[Check, ...] = (
    Check("Settings", _nothing, settings),
    Check("Rates", _nothing, rates),
    Check("Python for the bytecode", lambda one: one.python(), python),
    Check("CDK bootstrap", lambda one: one.bootstrap_version(), bootstrap),
    Check("Lambda concurrency", lambda one: one.concurrency(), lambda_concurrency),
    Check("Timers", lambda one: one.scheduler_quotas(), scheduler),
    Check("SES production access", lambda one: one.email_account(), production_access, _emails_at_all),
    Check("SES sending quota", lambda one: one.email_account(), sending_quota, _emails_at_all),
    Check("Sender", lambda one: one.email_identity(), sender, _emails),
    Check("DKIM", lambda one: one.email_identity(), dkim, _emails),
    Check("MAIL FROM", lambda one: one.email_identity(), mail_from, _emails),
    Check(
        "DMARC",
        _nothing,
        confirm("DNS", "`dig +short TXT _dmarc.<the sender's domain>` answers v=DMARC1"),
        _emails,
        person=True,
    ),
    Check("SMS sandbox", lambda one: one.sms_sandbox(), sms_sandbox, _texts),
    Check("SMS spend limit", lambda one: one.sms_spend_limit(), sms_spend_limit, _texts),
    Check("10DLC", _nothing, confirm("US", "brand and campaign of your number are approved"), _texts, person=True),
    Check("DLT", _nothing, confirm("India", "entity, header and templates are registered"), _texts, person=True),
    Check(
        "Opt-out",
        _nothing,
        confirm("STOP", "who answers it, Cairn (self-managed opt-outs are on) or AWS, and not both"),
        _replies,
        person=True,
    ),
    Check("Domain", lambda one: one.certificate(), domain, _domain),
    Check("Two-way messages", lambda one: (one.origination(), one.sms_topic()), two_way, _replies),
    Check("WhatsApp", lambda one: (one.whatsapp_destinations(), one.whatsapp_topic()), whatsapp, _whatsapp),
    Check("Secrets", lambda one: (one.secrets_of_before(), one.unusable_secrets()), secrets),
    Check("Table", lambda one: one.table(), table),
    Check("Alarms", lambda one: one.alarm_recipients(), recipients),
)
"""Those from Two-way messages on need a deployment."""
