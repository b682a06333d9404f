"""The function `sweep`: resumes paused work, sets going what is stuck, watches queues, chooses winners.

And passes on the tasks of members who are none any more.
"""

import os
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from cairn.adapters import aws
from cairn.adapters.backoff import attempts
from cairn.adapters.cloudwatch import QueueAges
from cairn.adapters.documents.catalogue import Catalogue
from cairn.adapters.documents.member_ids import member_ids_at
from cairn.adapters.dynamodb.arm_counts import DynamoArmCounts
from cairn.adapters.dynamodb.chosen_arms import DynamoChosenArms
from cairn.adapters.dynamodb.flow_counters import DynamoFlowCounters
from cairn.adapters.dynamodb.overdue import DynamoDueTimes
from cairn.adapters.dynamodb.paused_work import DynamoPausedWork
from cairn.adapters.dynamodb.roster import DynamoRoster
from cairn.adapters.dynamodb.switches import DynamoSwitches
from cairn.adapters.sqs.erasure_queue import ErasureQueue
from cairn.adapters.sqs.message_queue import MessageQueue
from cairn.adapters.sqs.queue_depths import QueueDepths
from cairn.adapters.sqs.wake_queue import WakeQueue
from cairn.application.operations.choose_winner import ChooseWinner
from cairn.application.operations.find_stuck import FindStuck
from cairn.application.operations.resume_paused import ResumePaused
from cairn.application.operations.watch_queues import WatchQueues
from cairn.application.operations.watch_signs import WatchSigns
from cairn.application.people.pass_on_removed import PassOnRemoved
from cairn.compose.table import bind_table
from cairn.domain.operations.choices import SplitOf
from cairn.domain.shared.channels import Purpose
from cairn.settings import SweepSettings, queues_from_text

if TYPE_CHECKING:
    from cairn.application.people.assign_tasks import AssignTasks
    from cairn.application.ports import TaskStore


WAKES = "wakes"
"""The queue in which timers fire, by the name that settings have for it."""


class Jobs(NamedTuple):
    resume_paused: ResumePaused
    find_stuck: FindStuck
    watch_queues: WatchQueues
    choose_winners: Callable[[datetime], Sequence[SplitOf]]
    pass_on_removed: PassOnRemoved
    watch_signs: WatchSigns


def sweep() -> Jobs:
    settings = SweepSettings.from_environment(os.environ)
    bind_table(settings.table_name)
    sqs = aws.client("sqs")
    lanes = {Purpose.TRANSACTIONAL: settings.messages_queue_url, Purpose.MARKETING: settings.marketing_queue_url}
    switches = DynamoSwitches()
    wakes, messages = WakeQueue(sqs, settings.wakes_queue_url), MessageQueue(sqs, lanes)
    resume_paused = ResumePaused(
        switches=switches, paused_work=DynamoPausedWork(), wake_now=wakes.wake_now, messages=messages
    )
    find_stuck = FindStuck(
        due_times=DynamoDueTimes(),
        switches=switches,
        wake_now=wakes.wake_now,
        wakes_are_behind=wakes.is_behind,
        messages=messages,
        lane_is_behind=messages.is_behind,
        erasures=ErasureQueue(sqs, settings.erasures_queue_url),
    )
    work = queues_from_text(settings.work_queue_urls)
    ages = QueueAges(partial(aws.client, "cloudwatch"), work)
    watch_queues = WatchQueues(
        dead_letters=QueueDepths(sqs, queues_from_text(settings.dead_letter_queue_urls)),
        work=QueueDepths(sqs, work),
        ages=ages,
    )
    choose_winner = ChooseWinner(
        Catalogue(Path(settings.journeys_path)), DynamoArmCounts(), DynamoChosenArms(), attempts
    )
    people_path = Path(settings.people_path)
    pass_on = PassOnRemoved(member_ids_at(people_path), DynamoRoster(), lambda: _tasks(people_path))
    flow = DynamoFlowCounters(partial(aws.client, "dynamodb", validated=True), settings.table_name)
    watch_signs = WatchSigns(flow, partial(ages.done, WAKES))
    return Jobs(resume_paused, find_stuck, watch_queues, choose_winner.by_rule, pass_on, watch_signs)


def _tasks(people_path: Path) -> "tuple[TaskStore, AssignTasks]":
    from cairn.adapters.documents.people import people_at  # noqa: PLC0415
    from cairn.adapters.dynamodb.tasks import DynamoTasks  # noqa: PLC0415
    from cairn.application.people.assign_tasks import AssignTasks  # noqa: PLC0415

    store = DynamoTasks()
    return store, AssignTasks(store, people_at(people_path), attempts)
