"""import_rows: writes the rows of an import."""

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from cairn.adapters import aws
from cairn.adapters.backoff import attempts
from cairn.adapters.documents.catalogue import Catalogue
from cairn.adapters.documents.policy import policy_at
from cairn.adapters.dynamodb.chosen_arms import DynamoChosenArms
from cairn.adapters.dynamodb.deliveries import DynamoDeliveries
from cairn.adapters.dynamodb.erasure_orders import DynamoErasureOrders
from cairn.adapters.dynamodb.expected_customers import ExpectedCustomers
from cairn.adapters.dynamodb.switches import DynamoSwitches
from cairn.adapters.imports.mapping import RowMapping, with_key
from cairn.adapters.phone.numbers import phones_of
from cairn.adapters.secrets_manager import identity_keys
from cairn.application.events.process_event import ProcessEvent
from cairn.application.imports.import_rows import ImportRows
from cairn.compose.leads import leads_beside
from cairn.compose.table import bind_table
from cairn.domain.imports.rows import Import, Refusal
from cairn.settings import ImportRowsSettings


class Parts(NamedTuple):
    rows: ImportRows
    mapping: Callable[[Mapping[str, Any], Import], RowMapping]


def import_rows(note_failure: Callable[[Refusal, Exception], None]) -> Parts:
    settings = ImportRowsSettings.from_environment(os.environ)
    bind_table(settings.table_name)
    keys = identity_keys(aws.client("secretsmanager"), settings.identity_secret_id, settings.identity_fingerprint)
    customers, policy = ExpectedCustomers(keys), policy_at(Path(settings.policy_path))
    process = ProcessEvent(
        customers=customers,
        journeys=Catalogue(Path(settings.journeys_path)),
        read_phone=phones_of(settings.phone_region),
        keys=keys,
        switches=DynamoSwitches(),
        chosen=DynamoChosenArms(),
        sent=DynamoDeliveries(),
        orders=DynamoErasureOrders(),
        policy=policy,
        leads=leads_beside(Path(settings.policy_path)),
        attempts=attempts,
    )

    def mapping(document: Mapping[str, Any], of: Import) -> RowMapping:
        phones = phones_of(of.phone_region or settings.phone_region)
        return RowMapping(document, of, phones, policy.placeholders, zone=ZoneInfo(document.get("zone", "UTC")))

    return Parts(ImportRows(process, customers, keys, with_key, aws.is_transient, note_failure), mapping)
