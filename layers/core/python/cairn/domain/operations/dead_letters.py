"""The dead-letter queues by the names that operators know them by."""

QUEUES = ("events", "wakes", "messages", "notices", "feedback", "erasures", "effects", "stream")
