"""What the gate reads beside the message and its customer."""

from dataclasses import dataclass, field

from cairn.domain.operations.pauses import Pause
from cairn.domain.policy import Policy


@dataclass(frozen=True, slots=True)
class GateSettings:
    """What operators can switch without a deployment, read again within a minute; and the deployment's policy."""

    policy: Policy = field(default_factory=Policy)
    stopped: frozenset[str] = frozenset()
    """Switched off: `all`, `channel:sms`, `journey:<name>`, `template:<journey>/<template>`, `country:US`."""
    pauses: tuple[Pause, ...] = ()
    """Of the same targets: current pauses, and those that ended lately."""
