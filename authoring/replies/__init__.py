"""replies.toml as people write it (docs/people.md): read, checked and compiled. Never runs in a function."""

from authoring.replies.document import FILE, InvalidRepliesError, check_replies, compile_replies, write_replies

__all__ = ["FILE", "InvalidRepliesError", "check_replies", "compile_replies", "write_replies"]
