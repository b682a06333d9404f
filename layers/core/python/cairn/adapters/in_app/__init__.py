"""The inbox that the business's own app or site shows: its API, its tokens and its web component."""
