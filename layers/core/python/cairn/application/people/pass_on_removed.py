"""After a deployment: the open tasks of members whom its people.toml has no more go to others."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from cairn.application.ports import MemberRoster, TaskStore

if TYPE_CHECKING:
    from cairn.application.people.assign_tasks import AssignTasks

WATCHED_FOR = timedelta(days=1)
"""How long a removed member is looked at: during a rollout, functions of the version before may give them tasks."""


@dataclass(frozen=True, slots=True)
class PassOnRemoved:
    members: Collection[str]
    """The ids that people.toml has."""
    roster: MemberRoster
    tasks: "Callable[[], tuple[TaskStore, AssignTasks]]"
    """Made when a member was removed: few runs find one."""
    _is_done: list[bool] = field(default_factory=list)
    """Not empty once this process has nothing left to do: another people.toml comes with other processes."""

    def __call__(self, now: datetime, has_time: Callable[[], bool]) -> int:
        """How many tasks were passed on. The next run does the rest; doing it twice changes nothing.

        Raises ConflictError.
        """
        if self._is_done:
            return 0
        before = self.roster.read()
        if before is None:
            return 0
        removed = {**{one: now for one in before.members if one not in self.members}, **before.removed}
        gone = sorted(removed.keys() - self.members)
        passed_on, is_done = self._pass_on(gone, now, has_time) if gone else (0, True)
        watched = {one: at for one, at in removed.items() if one not in self.members and now - at < WATCHED_FOR}
        after = replace(before, members=frozenset(self.members), removed=watched)
        if is_done and after != before:
            self.roster.put(after)
        if is_done and not watched:
            self._is_done.append(True)
        return passed_on

    def _pass_on(self, gone: Sequence[str], now: datetime, has_time: Callable[[], bool]) -> tuple[int, bool]:
        """How many tasks, and whether those were all."""
        from cairn.domain.people.life import CAIRN, NO_MEMBER  # noqa: PLC0415  with the rest

        store, assign = self.tasks()
        passed_on, is_done = 0, True
        for member in gone:
            for task in store.of_member(member):
                if not has_time():
                    is_done = False
                    break
                assign.pass_on(task, now, CAIRN, NO_MEMBER.format(member=member))
                passed_on += 1
        return passed_on, is_done
