"""Exports of all customers, consents, events or suppressions, from the items of a table. Never runs in a function."""

from authoring.exports.files import write_rows
from authoring.exports.rows import rows_of
from authoring.exports.spool import Spool

__all__ = ["Spool", "rows_of", "write_rows"]
