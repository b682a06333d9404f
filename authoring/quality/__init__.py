"""How complete and right the data of customers is, counted from an export of the table. Never runs in a function."""

from authoring.quality.asked import asked_for
from authoring.quality.counting import Counting
from authoring.quality.report import parts_of, report_of
from authoring.quality.run import Progress, QualityRun
from authoring.quality.work import Work

__all__ = ["Counting", "Progress", "QualityRun", "Work", "asked_for", "parts_of", "report_of"]
