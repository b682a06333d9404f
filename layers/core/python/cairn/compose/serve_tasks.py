"""serve_tasks: answers members' links of tasks."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

from cairn.adapters import aws
from cairn.adapters.backoff import attempts
from cairn.adapters.documents.people import people_at
from cairn.adapters.documents.policy import policy_at
from cairn.adapters.documents.scripts import Scripts
from cairn.adapters.dynamodb.customers import DynamoCustomers
from cairn.adapters.dynamodb.present_customers import DynamoPresentCustomers
from cairn.adapters.dynamodb.tasks import DynamoTasks
from cairn.adapters.dynamodb.timeline import DynamoTimeline
from cairn.adapters.pages.render import Pages
from cairn.adapters.pages.task_page import TaskPage
from cairn.adapters.secrets_manager import identity_keys
from cairn.application.customer.find_customer import FindCustomer
from cairn.application.people.serve_task import ServeTask
from cairn.application.people.work_on_tasks import WorkOnTasks
from cairn.compose.links import task_links
from cairn.compose.people import SCRIPTS
from cairn.compose.table import bind_table
from cairn.settings import ServeTasksSettings

if TYPE_CHECKING:
    from cairn.application.customer.explain_decisions import ExplainDecisions
    from cairn.domain.identity.identity_key import IdentityKeys


def serve_tasks() -> TaskPage:
    settings = ServeTasksSettings.from_environment(os.environ)
    bind_table(settings.table_name)
    secrets = aws.client("secretsmanager")
    keys = identity_keys(secrets, settings.identity_secret_id, settings.identity_fingerprint)
    people_path = Path(settings.people_path)
    policy, people, store = policy_at(Path(settings.policy_path)), people_at(people_path), DynamoTasks()
    customers, timeline, scripts = DynamoCustomers(keys), DynamoTimeline(), Scripts(people_path.with_name(SCRIPTS))
    find = FindCustomer(customers, timeline, lambda _: None)  # a link names ids alone
    return TaskPage(
        links=task_links(secrets, settings),
        serve=ServeTask(
            store=store,
            work=WorkOnTasks(
                store=store,
                customers=DynamoPresentCustomers(),
                history=timeline,
                find_customer=find,
                explain=lambda: _explain(find, timeline, keys),
                people=people,
                scripts=scripts,
                attempts=attempts,
            ),
            customers=customers,
            history=timeline,
            people=people,
        ),
        scripts=scripts,
        policy=policy,
        pages=Pages(policy),
    )


def _explain(find: FindCustomer, timeline: DynamoTimeline, keys: "IdentityKeys") -> "ExplainDecisions":
    from cairn.adapters.dynamodb.audit import DynamoAudit  # noqa: PLC0415  with the switches
    from cairn.adapters.dynamodb.suppressions import DynamoSuppressions  # noqa: PLC0415
    from cairn.application.customer.explain_decisions import ExplainDecisions  # noqa: PLC0415  with the sentences

    return ExplainDecisions(find, timeline, DynamoSuppressions(keys.suppressions), DynamoAudit())
