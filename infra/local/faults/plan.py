"""When which fault strikes. A plan is deterministic: the same plan and story give the same calls and faults."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from random import Random

from cairn.domain.shared.instants import duration_text
from infra.local.faults.call import Call
from infra.local.faults.errors import UNREACHABLE, Refusal, refusals
from infra.local.faults.fault import Fault, faults_for
from infra.local.faults.weather import CALM, Weather, random_weather

WHOLE_CALL = frozenset({Fault.ALL_ANSWERS_LOST, Fault.BUSY, Fault.CONFLICT, Fault.QUOTA})
"""Faults that strike each try of the SDK. The others strike the first."""

INTENSITY = 0.05

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Strike:
    """A fault and, where AWS answers, the error that it answers with."""

    fault: Fault | None
    refusal: Refusal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Outage:
    """A time in which every call to a service, or to one of its operations, fails."""

    service: str
    operation: str | None
    code: str
    start: timedelta
    """After the plan began."""
    length: timedelta

    def covers(self, call: Call, after: timedelta) -> bool:
        wanted = call.service == self.service and self.operation in {None, call.operation}
        return wanted and self.start <= after < self.start + self.length

    def __str__(self) -> str:
        what = f"{self.service}.{self.operation}" if self.operation else self.service
        span = f"from {duration_text(self.start)} for {duration_text(self.length)}"
        return f"{what} answers {self.code} {span}"


@dataclass(slots=True, kw_only=True)
class FaultPlan:
    """Made by its class methods; `|` joins two plans."""

    name: str = ""
    """Of a game day (game_days.py)."""
    at_calls: Mapping[int, Fault] = field(default_factory=dict)
    outages: tuple[Outage, ...] = ()
    seed: int | None = None
    intensity: float = 0.0
    only: tuple[Fault, ...] = ()
    """The faults that strike at random; all, where none is given."""
    lasts: timedelta | None = None
    """After which time nothing goes wrong any more."""
    weather: Weather = CALM
    calls: list[Call] = field(default_factory=list)
    """Every call that functions made, in order; the retries of the SDK are the same call."""
    struck: list[tuple[Call, Fault]] = field(default_factory=list)
    """Every call that a fault struck."""
    _began: datetime = EPOCH
    _over: bool = False

    @classmethod
    def none(cls) -> "FaultPlan":
        """No faults: the calls are recorded only."""
        return cls()

    @classmethod
    def at(cls, faults: Mapping[int, Fault]) -> "FaultPlan":
        """One fault for each of these call numbers."""
        return cls(at_calls=dict(faults))

    @classmethod
    def outage(
        cls,
        service: str,
        code: str = "",
        operation: str | None = None,
        *,
        start: timedelta = timedelta(),
        length: timedelta,
    ) -> "FaultPlan":
        """Every call fails in this time, with an error code of AWS or without a connection (`Unreachable`)."""
        code = code or refusals(Fault.SERVER_ERROR, service, "")[0].code
        return cls(outages=(Outage(service=service, operation=operation, code=code, start=start, length=length),))

    @classmethod
    def random(cls, seed: int, intensity: float = INTENSITY, *, only: Iterable[Fault] = ()) -> "FaultPlan":
        """A mixture of everything; `intensity` is the share of the calls that a fault strikes.

        With `only`, it is a mixture of these faults, and AWS does nothing unusual between the calls.
        """
        weather = CALM if only else random_weather(seed, intensity)
        return cls(seed=seed, intensity=intensity, only=tuple(only), weather=weather)

    @classmethod
    def slow(cls, takes: Mapping[str, timedelta]) -> "FaultPlan":
        """Calls that take time, by service (`sns`) or operation (`sns.Publish`)."""
        return cls(weather=replace(CALM, takes=dict(takes)))

    @classmethod
    def under(cls, weather: Weather) -> "FaultPlan":
        """What AWS does between the calls; no call fails."""
        return cls(weather=weather)

    def __or__(self, other: "FaultPlan") -> "FaultPlan":
        """Both. The other's weather counts, unless it has none."""
        return FaultPlan(
            at_calls={**self.at_calls, **other.at_calls},
            outages=(*self.outages, *other.outages),
            seed=self.seed if other.seed is None else other.seed,
            intensity=max(self.intensity, other.intensity),
            only=self.only + other.only,
            lasts=self.lasts if other.lasts is None else other.lasts,
            weather=other.weather if other.weather != CALM else self.weather,
        )

    def begin(self, now: datetime) -> None:
        """The instant from which the outages are counted."""
        self._began = now

    def calm(self) -> None:
        """From now on, nothing goes wrong any more."""
        self._over = True

    def is_over(self, now: datetime) -> bool:
        """Whether the plan was ended, or its time has passed."""
        return self._over or (self.lasts is not None and now - self._began >= self.lasts)

    @property
    def ends_at(self) -> datetime | None:
        return None if self.lasts is None else self._began + self.lasts

    def weather_at(self, now: datetime) -> Weather:
        if self.is_over(now):
            return CALM
        slow_for = self.weather.slow_for
        if self.weather.takes and slow_for is not None and now - self._began >= slow_for:
            return replace(self.weather, takes={})
        return self.weather

    def strike(self, call: Call, attempt: int, now: datetime) -> Strike | None:
        """What strikes this try (from 0) of the call."""
        if self.is_over(now):
            return None
        found = self._outage(call, now) or self._fault(call)
        if found is None or (attempt and found.fault is not None and found.fault not in WHOLE_CALL):
            return None
        if not attempt and found.fault is not None:
            self.struck.append((call, found.fault))
        return found

    def describe(self) -> str:
        """One line that says what the plan does, enough to make it again."""
        return "; ".join(self._parts()) or "no faults"

    def _parts(self) -> Iterator[str]:
        yield from (self._at(number, fault) for number, fault in sorted(self.at_calls.items()))
        yield from map(str, self.outages)
        if self.seed is not None:
            names = f", only {' '.join(one.name for one in self.only)}" if self.only else ""
            yield f"seed {self.seed}, intensity {self.intensity:g}{names}"
        elif self.weather != CALM:
            yield str(self.weather)

    def _at(self, number: int, fault: Fault) -> str:
        known = str(self.calls[number]) if number < len(self.calls) else str(number)
        return f"{fault.name} at call {known}"

    def _outage(self, call: Call, now: datetime) -> Strike | None:
        after = now - self._began
        found = next((one for one in self.outages if one.covers(call, after)), None)
        return None if found is None else Strike(None, Refusal(found.code))

    def _fault(self, call: Call) -> Strike | None:
        fault = self.at_calls.get(call.number)
        if fault is None and self.seed is not None:
            random = Random(f"{self.seed}/{call.number}")  # noqa: S311  a simulation
            possible = [one for one in faults_for(call) if one in (self.only or Fault)]
            if random.random() < self.intensity and possible:
                fault = random.choice(possible)
        if fault is None:
            return None
        errors = refusals(fault, call.service, call.operation)
        # A story has enough calls that each documented code comes up.
        return Strike(fault, errors[call.number % len(errors)] if errors else None)


__all__ = ["UNREACHABLE", "FaultPlan", "Outage", "Strike"]
