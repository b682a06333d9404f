"""Operator commands about customers and addresses: written to the audit, then processed as events."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from difflib import get_close_matches
from typing import Any

from cairn.application.customer.find_customer import FindCustomer
from cairn.application.customer.show_lead import NO_LEADS
from cairn.application.ports import Audit, Customers, Inbox, Suppressions
from cairn.domain.consent.changes import ConsentChange, ConsentStatus, Method
from cairn.domain.consent.suppression import Suppression, suppression_key
from cairn.domain.customer.consent_updates import RELEASED, SUPPRESSED
from cairn.domain.customer.state import CUSTOMERS_MERGED, IDENTIFIER_DETACHED, Customer
from cairn.domain.event import Event
from cairn.domain.identity.identifiers import Identifier, customer_id_for, identifier, other_accounts
from cairn.domain.identity.identity_key import IdentityKeys
from cairn.domain.identity.trust import OPERATORS_SOURCE
from cairn.domain.lead.changes import refusal
from cairn.domain.lead.leads import Leads
from cairn.domain.lead.rules import STAGE_SET, Rules
from cairn.domain.operations.audit import AuditEntry
from cairn.domain.privacy.requests import ERASURE_REQUESTED, erasure_order
from cairn.domain.profile.addresses import addresses_of, identifier_at
from cairn.domain.profile.lead import Move
from cairn.domain.shared.channels import CHANNELS, Channel, Purpose
from cairn.domain.shared.errors import InvalidRequestError, NoLeadsError, NotMergedError, StageRefusedError
from cairn.domain.shared.hashing import short_hash

CONSENT_CHANGED = "consent.changed"

SHOW = "show_suppressions"
"""The action in the audit of who has looked at an address."""


@dataclass(frozen=True, slots=True)
class Attribution:
    """The actor of a command, the reason and the time."""

    by: str
    why: str
    at: datetime


@dataclass(frozen=True, slots=True)
class ConsentStatement:
    """Consent that a customer gave or denied to an operator."""

    channel: Channel
    purpose: Purpose
    status: ConsentStatus
    evidence: Mapping[str, str] = field(default_factory=dict)
    """`wording`, `wording_version`, `locale`, `url`, as far as known."""


@dataclass(frozen=True, slots=True)
class CommandReceipt:
    """The id of the event, and its subject: the customer's id or the key of the address."""

    id: str
    about: str
    suppressed: tuple[Suppression, ...] = ()
    """Of a consent that was granted: what keeps the address suppressed all the same."""


@dataclass(frozen=True, slots=True)
class OperatorCommands:
    """Audit first, then act."""

    find: FindCustomer
    customers: Customers
    inbox: Inbox
    audit: Audit
    suppressions: Suppressions
    keys: IdentityKeys
    leads: Leads | None = None

    def consent(self, name: str, statement: ConsentStatement, attribution: Attribution) -> CommandReceipt:
        """Raises the errors of FindCustomer."""
        customer = self.find(name)
        proof = {"method": Method.OPERATOR.value, "actor": attribution.by, "why": attribution.why, **statement.evidence}
        change = ConsentChange(
            statement.channel, statement.purpose, statement.status, attribution.at, OPERATORS_SOURCE, proof
        )
        about = {
            "channel": statement.channel.value,
            "purpose": statement.purpose.value,
            "status": statement.status.value,
        }
        event = self.event(CONSENT_CHANGED, customer.id, attribution, consent=(change,))
        done = self.submit("consent", event, customer.id, attribution, about)
        return replace(done, suppressed=self._still_suppressed(customer, statement))

    def _still_suppressed(self, customer: Customer, statement: ConsentStatement) -> tuple[Suppression, ...]:
        """A consent lifts no suppression: neither a bounce nor a STOP is taken back by what an operator heard."""
        address = addresses_of(customer.profile.view()).get(statement.channel)
        if address is None or statement.status is not ConsentStatus.GRANTED:
            return ()
        standing = self.suppressions.current({statement.channel: address}).get(statement.channel, ())
        return tuple(one for one in standing if one.covers(statement.purpose))

    def suppress(self, channel: Channel, address: str, attribution: Attribution) -> CommandReceipt:
        """Suppress an address, known or not."""
        return self._address("suppress", SUPPRESSED, channel, address, attribution)

    def release(self, channel: Channel, address: str, attribution: Attribution) -> CommandReceipt:
        """Lift all suppressions of an address. Consent does not come back by this."""
        return self._address("release", RELEASED, channel, address, attribution)

    def show_suppressions(
        self, channel: Channel, address: str, attribution: Attribution
    ) -> tuple[str, tuple[Suppression, ...]]:
        """The key of an address and its suppressions."""
        key = suppression_key(channel, address, self.keys.suppressions)
        shown = AuditEntry(
            attribution.at, attribution.by, SHOW, f"address:{key}", attribution.why, {"channel": channel.value}
        )
        self.audit.write(shown)
        return key, self.suppressions.current({channel: address}).get(channel, ())

    def erase(self, name: str, attribution: Attribution) -> CommandReceipt:
        """Erase a customer; the result has the receipt's id. Raises the errors of FindCustomer."""
        customer = self.find(name)
        event = self.event(ERASURE_REQUESTED, customer.id, attribution, {"actor": attribution.by})
        receipt = erasure_order(customer.id, event).id
        self.submit("order_erasure", event, customer.id, attribution, {"receipt": receipt})
        return CommandReceipt(receipt, customer.id)

    def detach(self, customer: str, name: str, attribution: Attribution) -> CommandReceipt:
        """Take an identifier away from a customer. Raises the errors of FindCustomer, and UnknownIdentifierError."""
        found = self.find(customer)
        lost = self.find.identifier_of(found, name)
        tag = customer_id_for(lost, self.keys.customer_ids)
        event = self.event(IDENTIFIER_DETACHED, found.id, attribution, {"identifier": tag, "kind": lost.kind})
        return self.submit("detach", event, found.id, attribution, {"kind": lost.kind, "identifier": tag})

    def merge(self, one: Customer, other: Customer, attribution: Attribution) -> CommandReceipt:
        """Make two customers one, as a person has found that they are. Raises NotMergedError where they cannot be."""
        from cairn.domain.customer.resolution import why_apart  # noqa: PLC0415  few requests merge

        if why_apart((one, other)):
            systems = other_accounts(one.profile.vouched_identifiers, other.profile.vouched_identifiers)
            because = f"each has an account of its own: {', '.join(systems)}" if systems else "together, too many names"
            raise NotMergedError(
                f"they are not merged: {because}. Merge them in that system, or detach what is not theirs"
                " (docs/trust.md, Two accounts, one address)"
            )
        event = self.event(CUSTOMERS_MERGED, one.id, attribution, {"other": other.id, "actor": attribution.by})
        return self.submit("merge", event, one.id, attribution, {"other": other.id})

    def set_stage(self, name: str, stage: str, pipeline: str, attribution: Attribution) -> CommandReceipt:
        """Move a customer to a stage; without the name of a pipeline, of the one that has it.

        Raises the errors of FindCustomer, NoLeadsError, InvalidRequestError for a stage or a pipeline that there is
        not, and StageRefusedError for a move that is not allowed.
        """
        if self.leads is None:
            raise NoLeadsError(NO_LEADS)
        pipeline = pipeline_of(self.leads.rules, stage, pipeline)
        customer = self.find(name)
        move = Move(attribution.at, stage, attribution.by)
        if reason := refusal(self.leads.rules, self.leads.read(customer.profile), move, pipeline, attribution.at):
            raise StageRefusedError(f"the customer is not moved to {stage}: {reason}")
        about = {"pipeline": pipeline, "stage": stage}
        event = self.event(STAGE_SET, customer.id, attribution, {**about, "actor": attribution.by})
        return self.submit("set_stage", event, customer.id, attribution, about)

    def _address(
        self, what: str, type_: str, channel: Channel, address: str, attribution: Attribution
    ) -> CommandReceipt:
        key = suppression_key(channel, address, self.keys.suppressions)
        owner = self._owner(identifier_at(channel, address) or identifier(CHANNELS[channel].address.value, address))
        event = self.event(type_, owner, attribution, {"channel": channel.value, "key": key})
        return self.submit(what, event, f"address:{key}", attribution, {"channel": channel.value})

    def _owner(self, name: Identifier) -> str:
        """The id of the address's customer; without one, the id that a new customer would get. None is created."""
        owners = self.customers.find([name]).customers
        return owners[0].id if owners else customer_id_for(name, self.keys.customer_ids)

    def event(
        self,
        type_: str,
        customer_id: str,
        attribution: Attribution,
        properties: Mapping[str, Any] | None = None,
        consent: tuple[ConsentChange, ...] = (),
    ) -> Event:
        """An order about a customer. The same command at the same instant gives the same event."""
        said = [f"{change.key}:{change.status}" for change in consent] + [str(properties or "")]
        return Event(
            id=short_hash(type_, customer_id, attribution.by, attribution.at.isoformat(), *said, length=26),
            source=OPERATORS_SOURCE,
            type=type_,
            occurred_at=attribution.at,
            customer_id=customer_id,
            properties=properties or {},
            consent=consent,
        )

    def submit(
        self, what: str, event: Event, target: str, attribution: Attribution, detail: Mapping[str, Any]
    ) -> CommandReceipt:
        """Audit the order `what`, then send its event."""
        self.audit.write(AuditEntry(attribution.at, attribution.by, what, target, attribution.why, detail))
        self.inbox.put([event])
        return CommandReceipt(event.id, target.removeprefix("address:"))


def pipeline_of(rules: Rules, stage: str, pipeline: str) -> str:
    """The pipeline that has a stage. Raises InvalidRequestError, which names the near one."""
    names = [one.name for one in rules.pipelines]
    if pipeline and pipeline not in names:
        raise InvalidRequestError([f"pipeline: there is no {pipeline}; {_near(pipeline, names)}"])
    among = [one for one in rules.pipelines if pipeline in {"", one.name}]
    having = [one.name for one in among if one.stage(stage) is not None]
    if not having:
        stages = [each.name for one in among for each in one.stages]
        raise InvalidRequestError([f"stage: there is no {stage}; {_near(stage, stages)}"])
    if len(having) > 1:
        raise InvalidRequestError([f"pipeline: several have the stage {stage}; name one of {', '.join(having)}"])
    return having[0]


def _near(name: str, known: Iterable[str]) -> str:
    known = sorted(set(known))
    close = get_close_matches(name, known, n=1)
    return f"did you mean {close[0]}?" if close else f"there are {', '.join(known) or 'none'}"
