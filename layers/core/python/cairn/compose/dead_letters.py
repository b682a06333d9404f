"""Dead letters: what redrives them."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cairn.adapters.dynamodb.redrive import RedriveEffects, RedriveFacts


def redrive_effects(sqs: Any, effects_queue_url: str) -> "RedriveEffects":
    """For the table that the models are bound to."""
    from cairn.adapters.dynamodb.present_customers import DynamoPresentCustomers  # noqa: PLC0415  slow to import
    from cairn.adapters.dynamodb.redrive import RedriveEffects  # noqa: PLC0415
    from cairn.adapters.dynamodb.timeline import DynamoTimeline  # noqa: PLC0415
    from cairn.adapters.sqs.effects_queue import EffectsQueue  # noqa: PLC0415
    from cairn.application.events.relay_effects import StillWanted  # noqa: PLC0415

    return RedriveEffects(EffectsQueue(sqs, effects_queue_url), StillWanted(DynamoPresentCustomers(), DynamoTimeline()))


def redrive_position(
    effects: "RedriveEffects", facts: "RedriveFacts", streams: Any
) -> Callable[[dict[str, Any]], list[str]]:
    """`streams`: the client of DynamoDB's streams."""

    def at(given_up: dict[str, Any]) -> list[str]:
        position = given_up["DDBStreamBatchInfo"]
        if facts.concerns(given_up):
            facts.at_position(streams, position)
            return []
        _, left_out = effects.at_position(streams, position)
        return left_out

    return at


def stream_is_redriven_elsewhere(_given_up: dict[str, Any]) -> list[str]:
    """For a caller that may not read the stream. Raises NotRedrivableError."""
    from cairn.adapters.dynamodb.redrive import NotRedrivableError  # noqa: PLC0415

    raise NotRedrivableError("the stream is redriven by `cairn dlq redrive stream`, with credentials that may read it")
