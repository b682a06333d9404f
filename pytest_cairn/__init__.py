"""The plugin of pytest that `pip install` brings: a story file is a test (docs/testing-journeys.md)."""
