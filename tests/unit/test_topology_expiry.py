"""Certificates that end are told of in time, by their real dates."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from mesh_components.settings import Finding
from mesh_components.topology.expiry import ending, outliving, parse

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)


def expires(days: float) -> dict[str, Any]:
    end = (NOW + timedelta(days=days)).isoformat()
    far = "2036-11-25T12:00:00Z"
    return {"root": far, "roots": {"1": far, "2": end}, "clusters": {"east": end, "west": far}, "servers": {"hub": end}}


def found(days: float, before: int = 60) -> list[Finding]:
    return list(ending(expires(days), timedelta(days=before), NOW))


def test_what_ends_soon_is_told_with_the_way_to_a_new_one() -> None:
    told = found(59.5)
    assert [(item.code, item.place) for item in told] == [
        ("MESH307", "trust.rotation"),
        ("MESH307", "trust.intermediateSerials.east"),
        ("MESH307", "trust.intermediateSerials.hub"),
    ]
    assert "root 2 ends in 59 days, on 2027-01-24" in told[0].reason
    assert "mesh rotate plan root" in told[0].fix
    assert "mesh rotate plan intermediate --cluster east" in told[1].fix


@pytest.mark.parametrize(("days", "count"), [(60.1, 0), (60, 3), (0.5, 3), (-1, 3)])
def test_the_day_it_begins(days: float, count: int) -> None:
    assert len(found(days)) == count


def test_what_has_ended_is_told_as_such() -> None:
    assert "has ended, on 2026-11-24" in found(-1)[0].reason


def test_zero_days_tell_of_what_has_ended_only() -> None:
    assert found(0.1, before=0) == []
    assert found(-0.1, before=0)


def test_an_intermediate_that_outlives_its_root() -> None:
    (told,) = outliving({"east": "2030-01-02T00:00:00Z", "west": "2029-12-31T00:00:00Z"}, "2030-01-01T00:00:00Z")
    assert told.code == "MESH301"
    assert "certificates of east end after their root, which ends on 2030-01-01" in told.reason
    many = {f"c{n}": "2031-01-01T00:00:00Z" for n in range(9)}
    (told,) = outliving(many, "2030-01-01T00:00:00Z")
    assert "c0, c1, c2 and 6 more" in told.reason


@pytest.mark.parametrize("text", ["", None, "soon", "output<string>"])
def test_what_has_no_date_is_not_told_of(text: Any) -> None:
    assert parse(text) is None
    assert list(outliving({"east": text}, text)) == []
    assert list(ending({"roots": {"1": text}, "clusters": {}, "servers": {}}, timedelta(days=60), NOW)) == []


def test_a_date_without_a_zone_is_utc() -> None:
    assert parse("2030-01-01T00:00:00") == parse("2030-01-01T00:00:00Z") == parse("2030-01-01T01:00:00+01:00")
