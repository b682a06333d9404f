"""What people do with tasks: its parts, which few records need, and so are imported when they are."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from cairn.application.people.ask_people import AskPeople
    from cairn.application.people.fire_task_timer import FireTaskTimer
    from cairn.application.ports import Timeline
    from cairn.domain.people.task import Task

SCRIPTS = "scripts.json"
"""Beside people.json."""


def ask_people(people_path: str, timeline: "Timeline", on_unstaffed: "Callable[[Task], None]") -> "AskPeople":
    from cairn.adapters.backoff import attempts  # noqa: PLC0415
    from cairn.adapters.documents.people import people_at  # noqa: PLC0415
    from cairn.adapters.dynamodb.tasks import DynamoTasks  # noqa: PLC0415
    from cairn.application.people.ask_people import AskPeople  # noqa: PLC0415
    from cairn.application.people.assign_tasks import AssignTasks  # noqa: PLC0415

    people, store = people_at(Path(people_path)), DynamoTasks()
    return AskPeople(
        store=store,
        assign=AssignTasks(store, people, attempts),
        timeline=timeline,
        people=people,
        attempts=attempts,
        on_unstaffed=on_unstaffed,
    )


def fire_task_timer(people_path: str, sqs: Any, notices_queue_url: str) -> "FireTaskTimer":
    from cairn.adapters.backoff import attempts  # noqa: PLC0415
    from cairn.adapters.documents.people import people_at  # noqa: PLC0415
    from cairn.adapters.dynamodb.present_customers import DynamoPresentCustomers  # noqa: PLC0415
    from cairn.adapters.dynamodb.tasks import DynamoTasks  # noqa: PLC0415
    from cairn.adapters.sqs.notification_queue import NotificationQueue  # noqa: PLC0415
    from cairn.application.people.assign_tasks import AssignTasks  # noqa: PLC0415
    from cairn.application.people.fire_task_timer import FireTaskTimer  # noqa: PLC0415

    people, store = people_at(Path(people_path)), DynamoTasks()
    return FireTaskTimer(
        store=store,
        assign=AssignTasks(store, people, attempts),
        customers=DynamoPresentCustomers(),
        notify=NotificationQueue(sqs, notices_queue_url),
        people=people,
        attempts=attempts,
    )
