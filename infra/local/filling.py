"""Fills audiences of a laptop's table, as `cairn audience fill` does from an export (cli/audience_fill_client)."""

from collections import defaultdict
from datetime import datetime
from pathlib import Path

from cairn.adapters import aws
from cairn.adapters.dynamodb.audiences import DynamoAudiences
from cairn.adapters.dynamodb.copied_customers import Raw, counts, customer_among, memberships_among
from cairn.application.audience.fill_audiences import FillAudiences, unfilled
from cairn.compose.audiences import audiences_beside
from cairn.compose.leads import leads_beside
from infra.local.cloud import Cloud


def fill_audiences(cloud: Cloud, catalogue: Path, now: datetime) -> dict[str, int]:
    """The members that each filled audience now has by this."""
    audiences = audiences_beside(catalogue)
    if audiences is None:
        return {}
    client = aws.client("dynamodb", validated=True)
    index = DynamoAudiences(client, cloud.table)
    fill = FillAudiences(audiences, unfilled(audiences, index.filled()), leads_beside(catalogue), index)
    copy: defaultdict[str, dict[str, Raw]] = defaultdict(dict)
    for page in client.get_paginator("scan").paginate(TableName=cloud.table):
        for item in filter(counts, page["Items"]):
            copy[item["pk"]["S"]][item["sk"]["S"]] = item
    for customer_id, items in sorted(copy.items()):
        customer = customer_among(items)
        if customer is not None:
            fill.customer(customer, now)
        fill.memberships(customer_id, memberships_among(items))
    fill.done(now)
    return {one.name: fill.found[one.name] for one in fill.filling}
