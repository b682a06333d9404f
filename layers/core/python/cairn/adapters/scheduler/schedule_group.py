"""EventBridge schedules that are no longer needed."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from cairn.adapters.aws import calling, code_of

GONE = "ResourceNotFoundException"


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleGroup:
    """Removes schedules. The names of an enrollment's timers begin with its id."""

    scheduler: Any
    group: str

    def cancel(self, enrollments: Iterable[str], names: Iterable[str]) -> int:
        wanted = {name for enrollment in enrollments for name in self._of(enrollment)}
        return sum(self._delete(name) for name in sorted(wanted | set(names)))

    def _of(self, enrollment: str) -> Iterator[str]:
        """Earlier ones too: a wait that ended early leaves its timer behind."""
        with calling("scheduler"):
            pages = self.scheduler.get_paginator("list_schedules").paginate(
                GroupName=self.group, NamePrefix=f"{enrollment}-"
            )
            for page in pages:
                yield from (one["Name"] for one in page["Schedules"])

    def _delete(self, name: str) -> bool:
        """Whether it was there."""
        with calling("scheduler"):
            try:
                self.scheduler.delete_schedule(Name=name, GroupName=self.group)
            except ClientError as error:
                if code_of(error) != GONE:
                    raise
                return False
        return True
