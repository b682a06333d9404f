"""How a task leaves its owner's list, for the writes that close one (tasks.py)."""

from typing import TYPE_CHECKING, Any

from cairn.adapters.dynamodb.items import MEMBER, WORK, RecordItem, WorkItem

if TYPE_CHECKING:
    from pynamodb.expressions.update import Action


def unlisting(task: RecordItem) -> "list[tuple[WorkItem, list[Action]]]":
    """The update that takes a stored task out of the list of its owner; none where it has none. Idempotent."""
    body: dict[str, Any] = task.body or {}
    if not (body.get("owner") and body.get("listed_as")):
        return []
    return [(WorkItem(MEMBER + body["owner"], WORK), [WorkItem.tasks.delete({body["listed_as"]})])]
