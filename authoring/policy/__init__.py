"""The policy as people write it (docs/policy.md): read, checked and compiled. Never runs in a function."""

from authoring.policy.document import (
    InvalidPolicyError,
    channels_of,
    check_endpoints,
    check_policy,
    compile_policy,
    write_policy,
)
from authoring.problems import Problem

__all__ = [
    "InvalidPolicyError",
    "Problem",
    "channels_of",
    "check_endpoints",
    "check_policy",
    "compile_policy",
    "write_policy",
]
