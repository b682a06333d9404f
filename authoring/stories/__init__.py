"""Stories as people write them (docs/scenarios.md): read, checked whole, compared with what happened."""

from authoring.stories.document import InvalidScenarioError, check_endpoints, load, problems_of
from authoring.stories.models import Answer, Click, Expectation, Order, Post, Scenario

__all__ = [
    "Answer",
    "Click",
    "Expectation",
    "InvalidScenarioError",
    "Order",
    "Post",
    "Scenario",
    "check_endpoints",
    "load",
    "problems_of",
]
