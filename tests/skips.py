"""In CI a skipped test fails, since all that a test needs is installed there."""

import os
from collections.abc import Generator
from pathlib import Path
from typing import TypeVar

import pytest

UNREACHABLE = ("Failed to fetch", "dns error", "Request failed", "error sending")
"""What uv says where it cannot reach the package registry."""

Report = TypeVar("Report", pytest.TestReport, pytest.CollectReport)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    return _failed_in_ci((yield))


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    return _failed_in_ci((yield))


def _failed_in_ci(report: Report) -> Report:
    """An expected failure (xfail) is reported as skipped too, but it has run."""
    if os.environ.get("CI") == "true" and report.outcome == "skipped" and not hasattr(report, "wasxfail"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        report.outcome = "failed"
        report.longrepr = f"{reason}\nIn CI nothing may be skipped. `make test-tools` installs what tests need."
    return report


def dependencies_layer_or_skip() -> Path:
    """The layer of third-party packages; without network, a machine that never built it skips the test."""
    from infra.cloud.bundle.dependencies import DependenciesError, dependencies_layer

    try:
        return dependencies_layer()
    except DependenciesError as error:
        if any(sign in str(error) for sign in UNREACHABLE):
            pytest.skip("the package registry cannot be reached, and the layer was never built here")
        raise
