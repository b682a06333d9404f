"""leads.toml as people write it (docs/people.md): read, checked and compiled. Never runs in a function."""

from authoring.leads.document import InvalidLeadsError, check_leads, compile_leads, leads_of, write_leads
from authoring.problems import Problem

__all__ = ["InvalidLeadsError", "Problem", "check_leads", "compile_leads", "leads_of", "write_leads"]
