"""The pages, by path."""

from collections.abc import Callable
from dataclasses import dataclass

from cairn.adapters.console.ask import Ask, Document, GoTo, View
from cairn.adapters.console.views import audiences, customers, home, journeys, measures, operations, people, quality


@dataclass(frozen=True, slots=True)
class Route:
    path: str
    show: Callable[[Ask], View | GoTo | Document]
    act: Callable[[Ask], GoTo | View] | None = None
    """What a form of the page does. Raises a CairnError, which the page then says."""


ROUTES = (
    Route("/", home.show),
    Route("/today", home.today),
    Route("/customers", customers.search, customers.find),
    Route("/customers/{customer}", customers.show, customers.act),
    Route("/customers/{customer}/timeline", customers.timeline),
    Route("/messages/{message}", customers.message),
    Route("/inbox", people.inbox),
    Route("/inbox/{customer}", people.conversation, people.answer),
    Route("/tasks", people.tasks),
    Route("/tasks/{task}", people.task, people.work),
    Route("/reviews", people.reviews, people.decide),
    Route("/journeys", journeys.all_of_them),
    Route("/journeys/{journey}", journeys.show, journeys.act),
    Route("/journeys/{journey}/graph.svg", journeys.graph),
    Route("/journeys/{journey}/versions/{version}", journeys.versions),
    Route("/journeys/{journey}/steps/{step}", journeys.step, journeys.step),
    Route("/journeys/{journey}/mail/{template}/{number}", journeys.mail),
    Route("/audiences", audiences.all_of_them, audiences.all_of_them),
    Route("/audiences/{audience}", audiences.show),
    Route("/broadcasts", audiences.broadcasts, audiences.plan),
    Route("/broadcasts/{broadcast}", audiences.broadcast, audiences.act),
    Route("/experiments", measures.experiments),
    Route("/experiments/{journey}", measures.experiment),
    Route("/reports", measures.reports),
    Route("/reports/{report}", measures.report),
    Route("/quality", quality.overview),
    Route("/quality/pairs/{customer}/{other}", quality.pair, quality.decide),
    Route("/switches", operations.switches, operations.switch),
    Route("/sources", operations.sources),
    Route("/consent", operations.consent, operations.record),
    Route("/imports", operations.imports),
    Route("/dead-letters", operations.dead_letters, operations.redrive),
    Route("/audit", operations.audit),
)
