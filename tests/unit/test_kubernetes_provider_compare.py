"""The comparison of the local engine's Kubernetes provider, as properties of any JSON."""

import copy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from meshctl.local.model import UNKNOWN
from meshctl.local.providers.kubernetes.compare import Path, differences, known, lacking, left
from meshctl.local.providers.kubernetes.paths import parse, put, render, resolve
from meshctl.local.values import has_unknown

keys = st.text("ab./-", min_size=1, max_size=4)
scalars = st.booleans() | st.integers(-3, 3) | st.text("abc2m", max_size=3)
named = st.lists(
    st.fixed_dictionaries({"name": st.sampled_from("pqrst"), "port": st.integers(1, 3)}),
    max_size=4,
    unique_by=lambda item: item["name"],
)
values = st.recursive(
    scalars | named,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=4),
    max_leaves=8,
)
objects = st.dictionaries(keys, values, max_size=4)
some = settings(max_examples=40, deadline=None)


def carry_out(value: Any, path: Path, old: Any, new: Any) -> Any:
    """One reported change, made: what a reader understands by it."""
    if not path:
        return new
    inner = value
    for part in path[:-1]:
        inner = inner[part]
    last = path[-1]
    if isinstance(inner, list) and old is None:
        assert isinstance(last, int)
        inner.insert(last, new)
    elif new is None:
        del inner[last]
    else:
        inner[last] = new
    return value


def differ(one: Any, other: Any) -> Any:
    """None if equal as JSON."""
    return None if (one, type(one)) == (other, type(other)) else (one, other)


@st.composite
def with_superset(draw: st.DrawFn) -> tuple[Any, Any]:
    """A value, and the same with more keys in its maps, as the API server adds defaults and status."""
    value = draw(objects)

    def grow(item: Any) -> Any:
        if isinstance(item, dict):
            more = draw(st.dictionaries(st.text("XYZ", min_size=1, max_size=2), scalars, max_size=2))
            return {**{key: grow(inner) for key, inner in item.items()}, **more}
        return [grow(inner) for inner in item] if isinstance(item, list) else item

    return value, grow(value)


class TestQuickComparison:
    """It may ask the API server for nothing; it may not fail to ask."""

    @some
    @given(with_superset())
    def test_what_only_the_server_has_is_no_difference(self, pair: tuple[Any, Any]) -> None:
        assert not list(lacking(*pair))

    @some
    @given(objects, keys, scalars, scalars)
    def test_one_other_value_is_never_missed(self, value: Any, key: str, one: Any, other: Any) -> None:
        found = list(lacking({**value, "in": [{key: one}]}, {**value, "in": [{key: other}]}))
        assert found == ([] if differ(one, other) is None else [(("in", 0, key), other, one)])

    def test_items_that_the_server_has_reordered_are_found_by_their_key(self) -> None:
        a, b = {"name": "a", "port": 1}, {"name": "b", "port": 2}
        assert not list(lacking({"ports": [a, b]}, {"ports": [{**b, "protocol": "TCP"}, a]}))

    def test_an_item_too_many_is_a_difference(self) -> None:
        assert list(lacking({"servers": [{"name": "a"}]}, {"servers": [{"name": "a"}, {"name": "b"}]}))

    def test_true_is_not_one(self) -> None:
        assert list(lacking({"a": True}, {"a": 1}))

    @pytest.mark.parametrize(("wanted", "live"), [("2000m", "2"), ("1024Mi", "1Gi"), ("0.5", "500m"), (1, "1")])
    def test_a_quantity_is_its_amount(self, wanted: Any, live: Any) -> None:
        assert not list(lacking({"requests": {"cpu": wanted}}, {"requests": {"cpu": live}}))

    def test_a_label_is_no_quantity(self) -> None:
        assert list(lacking({"labels": {"cpu": "2000m"}}, {"labels": {"cpu": "2"}}))


class TestExactDifferences:
    """A reader who carries out what is reported gets the new object."""

    @some
    @given(objects, objects)
    def test_carried_out_in_order_they_make_the_new_of_the_old(self, old: Any, new: Any) -> None:
        made: Any = copy.deepcopy(old)
        for path, was, becomes in list(differences(old, new)):
            made = carry_out(made, path, was, copy.deepcopy(becomes))
        assert made == new

    @some
    @given(objects)
    def test_nothing_differs_from_itself(self, value: Any) -> None:
        assert not list(differences(value, copy.deepcopy(value)))

    def test_one_port_in_the_middle_is_one_change(self) -> None:
        a, b, c = ({"name": name, "port": port} for name, port in (("a", 1), ("b", 2), ("c", 3)))
        found = list(differences({"ports": [a, b, c]}, {"ports": [a, {**c, "port": 4}]}))
        assert found == [(("ports", 1), b, None), (("ports", 1, "port"), 3, 4)]


class TestFieldsThatWereAskedFor:
    """Only what is still there needs to be taken away."""

    def test_a_field_that_left_the_program(self) -> None:
        found = list(left({"a": {"x": 1, "y": 2, "z": 3}}, {"a": {"x": 1}}, {"a": {"x": 1, "y": 5}}))
        assert found == [(("a", "y"), 5, None)]

    def test_inside_a_list(self) -> None:
        assert list(left({"p": [{"a": 1, "b": 2}]}, {"p": [{"a": 1}]}, {"p": [{"a": 1, "b": 2}]})) == [
            (("p", 0, "b"), 2, None)
        ]


class TestUnknown:
    """What is not known yet is compared where it is known, and named where not."""

    def test_live_values_stand_in(self) -> None:
        body, unknown = known({"a": UNKNOWN, "b": 1, "c": UNKNOWN}, {"a": 7, "b": 1})
        assert body == {"a": 7, "b": 1}
        assert unknown == [(("a",), 7, UNKNOWN), (("c",), None, UNKNOWN)]

    @some
    @given(objects)
    def test_the_known_is_left_alone(self, value: Any) -> None:
        assert known(value, {}) == (value, [])
        assert not has_unknown(value)

    @pytest.mark.parametrize("value", [UNKNOWN, [UNKNOWN], (1, UNKNOWN), {"a": ({"b": UNKNOWN},)}])
    def test_it_is_found_wherever_it_is(self, value: Any) -> None:
        assert has_unknown(value)


class TestPaths:
    """As Pulumi and kubectl users know them."""

    @pytest.mark.parametrize(
        ("path", "text"),
        [
            (("metadata", "labels", "a/b"), 'metadata.labels["a/b"]'),
            (("spec", "ports", 1, "port"), "spec.ports[1].port"),
            (("data", "ca.crt"), 'data["ca.crt"]'),
        ],
    )
    def test_spelling(self, path: Path, text: str) -> None:
        assert render(path) == text
        assert parse(text) == path

    @some
    @given(st.lists(st.text(min_size=1) | st.integers(0, 99), min_size=1).filter(lambda p: isinstance(p[0], str)))
    def test_what_is_rendered_can_be_parsed(self, path: list[str | int]) -> None:
        assert parse(render(tuple(path))) == tuple(path)

    @pytest.mark.parametrize(
        ("field", "path"),
        [
            (".metadata.labels.topology.istio.io/network", ("metadata", "labels", "topology.istio.io/network")),
            ('.spec.ports[port=81,protocol="TCP"].targetPort', ("spec", "ports", 1, "targetPort")),
            ('.metadata.finalizers["x"]', ("metadata", "finalizers")),
            ('.metadata.finalizers[="x"]', ("metadata", "finalizers", 1)),
            (".spec.nothing", ("spec",)),
        ],
    )
    def test_the_servers_paths_are_resolved_on_the_object(self, field: str, path: Path) -> None:
        value = {
            "metadata": {"labels": {"topology": "t", "topology.istio.io/network": "n"}, "finalizers": ["w", "x"]},
            "spec": {"ports": [{"port": 80}, {"port": 81, "targetPort": 8}]},
        }
        assert resolve(field, value) == path

    @some
    @given(objects, st.lists(keys | st.integers(0, 2), min_size=1, max_size=4).map(tuple))
    def test_put_never_fails_on_a_map(self, value: Any, path: Path) -> None:
        put(value, ("x", *path), UNKNOWN)
        assert has_unknown(value)
