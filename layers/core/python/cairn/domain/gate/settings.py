"""The gate's inputs besides the message and its customer."""

from dataclasses import dataclass, field

from cairn.domain.operations.pauses import Pause
from cairn.domain.policy import Policy


@dataclass(frozen=True, slots=True)
class GateSettings:
    """The operators' switches, read again within a minute, and the deployment's policy."""

    policy: Policy = field(default_factory=Policy)
    stopped: frozenset[str] = frozenset()
    """Switched off: `all`, `channel:sms`, `journey:<name>`, `template:<journey>/<template>`, `country:US`."""
    pauses: tuple[Pause, ...] = ()
    """Current and recently ended pauses of such targets."""
