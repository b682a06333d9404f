"""Read a reply: by rules, and where they say nothing and a model may be asked, by that; the rest goes to a person."""

from dataclasses import dataclass, replace
from datetime import datetime

from cairn.application.ports import Interpreter, JourneyVersions, ModelCalls
from cairn.application.values.replies import SentMessage
from cairn.domain.consent.keywords import WORDS, intent_of, may_mean_stop
from cairn.domain.customer.state import Reaction
from cairn.domain.effects import OpenTask
from cairn.domain.event import Event
from cairn.domain.journey.steps.send import Send
from cairn.domain.profile.attributes import LOCALE, TIME_ZONE
from cairn.domain.profile.profile import Profile
from cairn.domain.replies.answers import Speaker
from cairn.domain.replies.conversations import conversation
from cairn.domain.replies.question import Question
from cairn.domain.replies.reading import PROPERTIES, Reading, by_model, read
from cairn.domain.replies.rules import Replies
from cairn.domain.replies.words import known_languages
from cairn.domain.shared.errors import NoGuessError, UnknownJourneyError
from cairn.domain.shared.instants import zone_named


@dataclass(frozen=True, slots=True)
class ReadReply:
    journeys: JourneyVersions
    replies: Replies | None = None
    """None: the deployment has no replies.toml. Then answers to questions are read, and nobody gets a task."""
    languages: tuple[str, ...] = ()
    """ISO 639-1 codes of the deployment's languages, for a customer whose own is not known."""
    interpreter: Interpreter | None = None
    calls: ModelCalls | None = None

    def __call__(self, event: Event, profile: Profile, sent: SentMessage | None, now: datetime) -> tuple[Reading, ...]:
        """What the reply means, given the message that it answers. Nothing where neither rules nor a question ask."""
        question, zone = self._asked(sent)
        if question is None and self.replies is None:
            return ()
        text = str(event.properties.get("text") or "")
        if intent_of(text, WORDS) is not None or may_mean_stop(text, WORDS):
            return (Reading(),)  # in a language that the deployment does not have: a person knows what it means
        locale = str(profile.get(LOCALE) or "")
        own = locale.replace("_", "-").partition("-")[0].lower()
        languages = known_languages([own] if own else self.languages)
        speaker = Speaker(languages, locale, zone_named(profile.get(TIME_ZONE), zone))
        reading = read(text, self.replies, question, speaker, event.occurred_at)
        return (reading if reading.perhaps or reading.confidence else self._by_model(text, now),)

    @staticmethod
    def with_reading(event: Event, reading: Reading | None = None) -> Event:
        """The reply with what it means; what a provider says of that is not believed."""
        own = {name: value for name, value in event.properties.items() if name not in PROPERTIES}
        return replace(event, properties=own | (reading.to_properties() if reading is not None else {}))

    def conversation(self, event: Event, reaction: Reaction, now: datetime, draft: str = "") -> OpenTask | None:
        """The task of a reply that a person has to read."""
        if self.replies is None:
            return None
        task = conversation(event, self.replies, reaction.customer.id, reaction.facts, reaction.effects, now, draft)
        return replace(task, time_zone=self._zone(event, reaction)) if task is not None else None

    def _zone(self, event: Event, reaction: Reaction) -> str:
        """That of the journey whose message it answers; empty where that is not known, or UTC."""
        enrollment = reaction.customer.enrollments.get(str(event.properties.get("enrollment")))
        try:
            zone = self.journeys.version(enrollment.journey, enrollment.version).time_zone if enrollment else "UTC"
        except UnknownJourneyError:
            return ""
        return "" if zone == "UTC" else zone

    def _asked(self, sent: SentMessage | None) -> tuple[Question | None, str]:
        """The question of the message that was sent, and the time zone of its journey."""
        if sent is None or not sent.journey:
            return None, "UTC"
        try:
            journey = self.journeys.version(sent.journey, sent.version)
        except UnknownJourneyError:
            return None, "UTC"
        step = journey.steps.get(sent.step)
        return (step.asks if isinstance(step, Send) else None), journey.time_zone

    def _by_model(self, text: str, now: datetime) -> Reading:
        """What the model makes of a text of which the rules make nothing; it may be asked only so often a day."""
        rules = self.replies
        if rules is None or self.interpreter is None or self.calls is None or not text.strip() or not rules.intents:
            return Reading()
        try:
            if not self.calls.take(rules.model_calls_per_day, now):
                return Reading(model="has been asked as often as it may be today")
            guess = self.interpreter.read(text, rules.intents.values(), drafts=rules.drafts, now=now)
        except NoGuessError as error:
            return Reading(model=str(error))
        return by_model(guess.intent, guess.confidence, guess.draft, rules)
