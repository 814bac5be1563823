"""What all tests share."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

# No test depends on how long something takes, so none fails because the machine is busy.
settings.register_profile("mesh", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("mesh")
