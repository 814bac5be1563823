"""What all tests share."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

from tests.support.browser import MISSING

# No test depends on how long something takes, so none fails because the machine is busy.
# Each run draws other examples, so fewer of them in each find as much over the days.
settings.register_profile("mesh", deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("mesh")


@pytest.fixture(scope="session", autouse=True)
def _no_settings_of_the_caller() -> Iterator[None]:
    """Keep the passphrase and backend of whoever runs the tests out of them: the Makefile exports one, for the lab."""
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("PULUMI_")]:
            patch.delenv(name)
        yield


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say what did not run for want of a browser: among thousands of dots nobody sees an `s`."""
    left = [report for report in terminalreporter.stats.get("skipped", ()) if MISSING in str(report.longrepr)]
    if left:
        terminalreporter.write_line(f"NOT RUN: {len(left)} tests of the page of `mesh graph`; {MISSING}", yellow=True)
