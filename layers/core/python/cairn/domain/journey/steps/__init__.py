"""The kinds of step, a module each: its fields, how it is read from a checked document, and how it is performed.

The type checker names the missing parts of a new kind: `perform`, `successors`, its case below, and its checks in
`authoring.journeys.steps`. A step that waits has `moment`, `wait` and `on_timer` too.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, assert_never, get_args

from cairn.domain.journey.steps.begin import Begin
from cairn.domain.journey.steps.branch import Branch
from cairn.domain.journey.steps.emit import Emit
from cairn.domain.journey.steps.exit import Exit
from cairn.domain.journey.steps.send import Send
from cairn.domain.journey.steps.set import Set
from cairn.domain.journey.steps.split import Split
from cairn.domain.journey.steps.task import AwaitedTask, Task
from cairn.domain.journey.steps.update import Update
from cairn.domain.journey.steps.wait import Wait
from cairn.domain.journey.steps.wait_for import WaitFor
from cairn.domain.journey.steps.webhook import Webhook

Document = Mapping[str, Any]
Chain = Callable[[Sequence[Document]], str | None]
"""Adds nested steps to the journey, and gives the id of the first; without any, the id of the step after the parent."""

WaitingStep = Wait | WaitFor | AwaitedTask | Webhook | Begin
Step = Begin | Send | Wait | WaitFor | Branch | Split | Task | AwaitedTask | Update | Set | Emit | Webhook | Exit

StepKind = Literal["send", "wait", "wait_for", "branch", "split", "task", "update", "set", "emit", "webhook", "exit"]
"""The key that says in a document which kind a step is."""
STEP_KINDS: tuple[StepKind, ...] = get_args(StepKind)


def step_from_document(  # noqa: C901, PLR0911, PLR0912  one return a kind
    document: Document, after: str | None, chain: Chain
) -> Step:
    """The step of a checked document; the step `after` follows it."""
    id_ = document["id"]
    kind = next(kind for kind in STEP_KINDS if kind in document)
    value = document[kind]
    match kind:
        case "send":
            return Send.from_document(id_, after, value)
        case "wait":
            return Wait.from_document(id_, after, value)
        case "wait_for":
            return WaitFor.from_document(id_, value, chain)
        case "branch":
            return Branch.from_document(id_, value, chain)
        case "split":
            return Split.from_document(id_, value, chain)
        case "task" if "then" in value:
            return AwaitedTask.awaited_from_document(id_, after, value, chain)
        case "task":
            return Task.from_document(id_, after, value)
        case "update":
            return Update.from_document(id_, after, value)
        case "set":
            return Set.from_document(id_, after, value)
        case "emit":
            return Emit.from_document(id_, after, value)
        case "webhook":
            return Webhook.from_document(id_, after, value, chain)
        case "exit":
            return Exit(id_, value)
        case _:
            assert_never(kind)
