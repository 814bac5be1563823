"""The picture can be read: nothing is written over anything else, on light and dark pages, for any mesh."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from itertools import combinations
from typing import Any, NamedTuple
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given

from meshctl.graph import svg, words
from meshctl.graph.model import Graph
from meshctl.graph.text import fitted, width
from meshctl.graph.wires import Head, Point, Wires, merged
from tests.support.drawings import MESHES, STACKS, drawing, stack
from tests.support.graph import ROOT

SVG = "{http://www.w3.org/2000/svg}"


class Area(NamedTuple):
    """A rectangle and what it is."""

    left: float
    top: float
    right: float
    bottom: float
    what: str

    def meets(self, other: Area) -> bool:
        return (
            self.left < other.right and other.left < self.right and self.top < other.bottom and other.top < self.bottom
        )


def texts(root: ET.Element) -> list[Area]:
    """Where letters are: from the top of capitals to below the line."""
    found = []
    for item in root.iter(f"{SVG}text"):
        size, text = int(item.get("font-size", "12")), item.text or ""
        wide = width(text, size, bold=item.get("font-weight") is not None)
        x, y = int(item.attrib["x"]), int(item.attrib["y"])
        left = x - wide / 2 if item.get("text-anchor") == "middle" else x
        found.append(Area(left, y - size * 0.75, left + wide, y + size * 0.25, text))
    return found


def lines(root: ET.Element) -> Iterator[Area]:
    """Level and upright stretches, each with its kind."""
    for path in root.iter(f"{SVG}path"):
        style, data = path.attrib["class"], path.attrib["d"]
        if not style.startswith("line"):
            continue
        for x, y, way, end in re.findall(r"M(-?\d+) (-?\d+)([HV])(-?\d+)", data):
            one = (int(x), int(end)) if way == "H" else (int(x), int(x))
            other = (int(y), int(y)) if way == "H" else (int(y), int(end))
            yield Area(min(one) - 0.5, min(other) - 0.5, max(one) + 0.5, max(other) + 0.5, style)


def parsed(found: Graph) -> ET.Element:
    return ET.fromstring(svg.write(found))  # noqa: S314 - our own


def drawn(document: dict[str, Any]) -> ET.Element:
    return parsed(drawing(document))


class TestReadable:
    """A picture of which a word cannot be read is worse than none."""

    @given(MESHES)
    def test_no_text_is_on_another_or_outside(self, document: dict[str, Any]) -> None:
        root = drawn(document)
        everything = texts(root)
        page = (0, 0, int(root.attrib["width"]), int(root.attrib["height"]))
        for text in everything:
            assert text.left >= page[0]
            assert text.top >= page[1]
            assert text.right <= page[2], text
            assert text.bottom <= page[3], text
        for one, other in combinations(everything, 2):
            assert not one.meets(other), (one, other)

    @given(MESHES)
    def test_no_line_runs_through_text(self, document: dict[str, Any]) -> None:
        root = drawn(document)
        everything = texts(root)
        for line in lines(root):
            for text in everything:
                assert not line.meets(text), (line, text)

    @given(MESHES)
    def test_lines_of_two_kinds_cross_and_never_share_a_way(self, document: dict[str, Any]) -> None:
        for one, other in combinations(lines(drawn(document)), 2):
            if one.what != other.what and one.meets(other):
                level = one.bottom - one.top == other.bottom - other.top == 1
                upright = one.right - one.left == other.right - other.left == 1
                assert not level, (one, other)
                assert not upright, (one, other)

    @given(MESHES)
    def test_parts_are_wide_enough_for_their_text(self, document: dict[str, Any]) -> None:
        root = drawn(document)
        chips = [item for item in root.iter(f"{SVG}rect") if "chip" in item.attrib["class"]]
        boxes = [[int(item.attrib[key]) for key in ("x", "y", "width", "height")] for item in chips]
        everything = texts(root)
        for x, y, wide, high in boxes:
            (text,) = (t for t in everything if t.meets(Area(x, y, x + wide, y + high, "")))
            assert text.left > x
            assert text.right < x + wide

    @pytest.mark.parametrize("palette", [svg._LIGHT, svg._DARK], ids=["light", "dark"])
    def test_contrast(self, palette: dict[str, str]) -> None:
        """4.5 for text, 3 for lines (https://www.w3.org/TR/WCAG22/#contrast-minimum, #non-text-contrast)."""
        assert set(palette) == set(svg._LIGHT)
        grounds = [palette["ground"], palette["network"], palette["card"]]
        for ground in grounds:
            assert contrast(palette["text"], ground) > 4.5
            assert contrast(palette["muted"], ground) > 4.5
            for name in set(svg._COLOUR.values()):
                assert contrast(palette[name], ground) > 3
        for name in set(svg._COLOUR.values()):
            assert contrast(palette["text"], palette[f"{name}-fill"]) > 4.5


class TestAccessible:
    def test_title_and_description_are_its_label(self) -> None:
        found = stack("several-primaries-and-remotes")
        root = parsed(found)
        assert root.get("role") == "img"
        assert root.get("aria-labelledby") == "title desc"
        told = {item.get("id"): item.text for item in root if item.get("id")}
        assert told == {"title": words.title(found), "desc": words.description(found)}
        assert told["title"] == "mesh1: 4 clusters in 3 networks"


class TestWhatIsDrawn:
    """One line of the table of topologies each (Istio's docs: which needs what)."""

    @pytest.mark.parametrize(
        ("name", "kinds"),
        [
            ("multi-primary-single-network", {"trust", "discovery", "direct"}),
            ("multi-primary-multi-network", {"trust", "discovery", "sidecar"}),
            ("primary-remote-single-network", {"trust", "discovery", "control", "direct"}),
            ("primary-remote-multi-network", {"trust", "discovery", "control", "sidecar"}),
            ("several-primaries-and-remotes", {"trust", "discovery", "control", "direct", "sidecar"}),
            ("external-control-plane", {"trust", "discovery", "config", "control", "sidecar"}),
            ("ambient-multi-network", {"trust", "discovery", "ambient"}),
            ("mixed-data-planes", {"trust", "discovery", "sidecar", "ambient"}),
        ],
    )
    def test_lines_and_legend(self, name: str, kinds: set[str]) -> None:
        root = parsed(stack(name))
        found = [item.attrib["class"] for item in root.iter(f"{SVG}path") if "line" in item.attrib["class"]]
        assert sorted(found) == sorted(2 * [f"line {kind}" for kind in kinds])

    def test_every_cluster_once(self) -> None:
        root = parsed(stack("external-control-plane"))
        found = {item.get("data-cluster"): item.get("data-role") for item in root.iter(f"{SVG}g")}
        assert found == {"control": "external", "cluster1": "config", "cluster2": "remote"}


def test_it_is_the_same_in_every_process() -> None:
    """A picture is committed, and compared."""
    code = (
        "from tests.support.drawings import stack; from meshctl.graph import svg, mermaid;"
        "found = stack('several-primaries-and-remotes'); print(svg.write(found), mermaid.write(found))"
    )
    runs = [
        subprocess.run(
            [sys.executable, "-c", code],
            cwd=ROOT,
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    ]
    assert runs[0] == runs[1]


@pytest.mark.parametrize("name", STACKS)
def test_the_committed_pictures_are_what_is_drawn(name: str) -> None:
    path = ROOT / "docs" / "images" / "recipes" / f"{name}.svg"
    assert path.read_text() == svg.write(stack(name)), "run `make pictures`"


def test_no_picture_without_a_stack_file() -> None:
    assert sorted(path.stem for path in (ROOT / "docs" / "images" / "recipes").iterdir()) == STACKS


class TestText:
    def test_what_fits_is_left_as_it_is(self) -> None:
        assert fitted("istiod", 12, width("istiod", 12)) == "istiod"

    def test_what_does_not_fit_keeps_its_beginning_and_end(self) -> None:
        short = fitted("production-europe-west-3a", 12, 90)
        assert width(short, 12) <= 90
        assert re.fullmatch(r"prod\w*-?\w*….*3a", short)

    def test_without_room_a_sign_is_left(self) -> None:
        assert fitted("istiod", 12, 1) == "…"


class TestWires:
    def test_what_two_lines_share_is_drawn_once(self) -> None:
        wires = Wires("x")
        for height in (40, 80):
            wires.route(Point(100, 0), 50, Point(100, height))
        assert wires.line().count("V") == 1
        assert "M50 6V74" in wires.line()
        assert wires.heads() == Head(100, 40, 1, 0).path() + Head(100, 80, 1, 0).path()

    def test_stretches_that_touch_become_one(self) -> None:
        assert merged([(5, 9), (1, 3), (2, 5), (20, 21)]) == [(1, 9), (20, 21)]


def contrast(one: str, other: str) -> float:
    """As WCAG defines it."""
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
