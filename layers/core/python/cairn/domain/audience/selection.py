"""Some members of an audience: those of a partition, in a range, or whose own range contains a value."""

from dataclasses import dataclass
from typing import Any

from cairn.domain.audience.audiences import Audience
from cairn.domain.audience.order import SortType, encoded, partition_key

LAST = "~"
"""Behind every character of a position."""

END = "#"
"""Behind a partition, and behind a sort value."""


@dataclass(frozen=True, slots=True)
class Selection:
    """The ends of the positions that count, and what their ranges contain. Without any, all members count."""

    low: str = ""
    high: str = LAST
    contains: str = ""

    def takes(self, position: str, until: str) -> bool:
        """Whether a member counts. A range without an end contains all above its beginning."""
        return self.low <= position <= self.high and (not self.contains or not until or until >= self.contains)


ALL_MEMBERS = Selection()


@dataclass(frozen=True, slots=True)
class Asked:
    """What a person or a system asks for, as it is written."""

    partition: Any = None
    low: Any = None
    high: Any = None
    value: Any = None


def selection(audience: Audience, asked: Asked) -> Selection | list[str]:
    """The selection; or every reason why there is none, each with its field."""
    problems = []
    partition = None if asked.partition is None else partition_key(asked.partition)
    if partition is not None and not audience.partition:
        problems.append(f"partition: {audience.name} has no partition in audiences.toml")
    elif partition == "" and asked.partition != "":
        problems.append("partition: a text or a number")
    is_range = asked.low is not None or asked.high is not None
    if (is_range or asked.value is not None) and not audience.sort:
        problems.append(f"from, to, value: {audience.name} has no sort in audiences.toml")
    elif (is_range or asked.value is not None) and audience.partition and partition is None:
        problems.append(f"partition: name one, since {audience.name} is sorted in each partition")
    if asked.value is not None and is_range:
        problems.append("value: without from and to")
    if asked.value is not None and audience.sort and not audience.until:
        problems.append(f"value: {audience.name} has no until in audiences.toml, where its ranges end")
    given = {"from": asked.low, "to": asked.high, "value": asked.value}
    read = {name: _encoded(one, audience.sorted_as) for name, one in given.items() if one is not None}
    if audience.sort:
        problems += [f"{name}: no {audience.sorted_as}" for name, one in read.items() if not one]
    if problems:
        return problems
    return _of(partition, read, has_partitions=bool(audience.partition), sorts=is_range)


def _encoded(value: Any, sorted_as: SortType) -> str:
    """A number may be written as a text, as commands do."""
    if sorted_as is SortType.NUMBER and isinstance(value, str):
        try:
            return encoded(float(value), sorted_as)
        except ValueError:
            return ""
    return encoded(value, sorted_as)


def _of(partition: str | None, read: dict[str, str], *, has_partitions: bool, sorts: bool) -> Selection:
    if partition is None and has_partitions:
        return ALL_MEMBERS
    begin = f"{partition or ''}{END}"
    if "value" in read:
        return Selection(begin, f"{begin}{read['value']}{END}{LAST}", read["value"])
    high = f"{begin}{read['to']}{END}{LAST}" if "to" in read else f"{begin}{LAST}"
    # Members without a value stand first: no range has them.
    low = f"{begin}{read['from']}" if "from" in read else f"{begin}0" if sorts else begin
    return Selection(low, high)
