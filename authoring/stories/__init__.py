"""Stories as people write them (docs/scenarios.md): read, checked whole, compared with what happened."""

from authoring.stories.document import InvalidScenarioError, load, problems_of
from authoring.stories.models import Click, Expectation, Order, Post, Scenario

__all__ = [
    "Click",
    "Expectation",
    "InvalidScenarioError",
    "Order",
    "Post",
    "Scenario",
    "load",
    "problems_of",
]
