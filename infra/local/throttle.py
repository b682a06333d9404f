"""API Gateway's throttling: a token bucket for each source, with the limits of a stage."""

import json
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from threading import Lock

from authoring.defaults import default_file
from infra.cloud.stage import DEFAULT, Stage, Throttle

CDK_JSON = default_file("cdk.json")

OTHERS = ""
"""The bucket of all sources without a route of their own."""


@dataclass(slots=True)
class Bucket:
    throttle: Throttle
    tokens: float
    filled_at: float

    def take(self, now: float) -> float:
        """Take a token. Returns 0, or the seconds until there is one."""
        gained = (now - self.filled_at) * self.throttle.per_second
        self.tokens = min(self.tokens + gained, self.throttle.burst)
        self.filled_at = now
        if self.tokens < 1:
            return (1 - self.tokens) / self.throttle.per_second
        self.tokens -= 1
        return 0


@dataclass(slots=True)
class Limiter:
    """Called with a source for each request; returns the seconds to wait, 0 to let it through."""

    stage: Stage
    known: Collection[str]
    clock: Callable[[], float] = time.monotonic
    buckets: dict[str, Bucket] = field(default_factory=dict)
    lock: Lock = field(default_factory=Lock)

    def __call__(self, source: str) -> float:
        name = source if source in self.known else OTHERS
        with self.lock:
            now = self.clock()
            if name not in self.buckets:
                throttle = self.stage.throttle_of(name)
                self.buckets[name] = Bucket(throttle, throttle.burst, now)
            return self.buckets[name].take(now)


def unlimited(source: str) -> float:  # noqa: ARG001  a limiter's signature
    return 0


def stage_limiter(known: Collection[str], stage: str = DEFAULT) -> Limiter:
    """The limiter of a stage of cdk.json. Raises InvalidStageError."""
    context = json.loads(CDK_JSON.read_text(encoding="utf-8"))["context"]
    return Limiter(Stage.from_context(stage, context), known)
