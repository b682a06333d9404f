"""Call scripts, `_scripts/<name>.yaml` beside the journeys: read, checked and compiled (docs/people.md)."""

from authoring.scripts.catalogue import check_scripts, compile_scripts, script_names, write_scripts

__all__ = ["check_scripts", "compile_scripts", "script_names", "write_scripts"]
