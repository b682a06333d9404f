"""audiences.toml as people write it (docs/audiences.md): read, checked and compiled. Never runs in a function."""

from authoring.audiences.document import (
    FILE,
    InvalidAudiencesError,
    check_audiences,
    compile_audiences,
    write_audiences,
)

__all__ = ["FILE", "InvalidAudiencesError", "check_audiences", "compile_audiences", "write_audiences"]
