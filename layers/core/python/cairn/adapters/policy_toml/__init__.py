"""The policy as people write it (docs/policy.md): read, checked whole, compiled. Never runs in a function."""

from cairn.adapters.policy_toml.document import check_policy, compile_policy, write_policy
from cairn.adapters.policy_toml.problems import InvalidPolicyError, Problem

__all__ = ["InvalidPolicyError", "Problem", "check_policy", "compile_policy", "write_policy"]
