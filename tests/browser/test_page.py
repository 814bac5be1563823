"""The page of `mesh graph` in a real browser: it renders, clicks and keys work, and nothing leaves it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support import pages
from tests.support.browser import Visit, launched

if TYPE_CHECKING:
    from playwright.sync_api import Browser


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with launched() as found:
        yield found


@pytest.mark.parametrize("count", [2, 5, 20, 100])
def test_every_size_renders_alone_and_for_everyone(browser: Browser, tmp_path: Path, count: int) -> None:
    """Nothing is asked for, nothing is complained of, nothing lies over anything else, and axe-core (the rules of WCAG
    that a program can check, contrast among them) finds nothing."""
    from axe_playwright_python.sync_playwright import Axe

    written = pages.written(pages.scene(pages.document(count)), tmp_path)
    for dark in (False, True):
        with Visit(browser, written, dark=dark) as visit:
            page = visit.page
            assert page.locator(".tile").count() == count
            assert page.locator("body[data-ready=yes]").count() == 1
            boxes = [tile.bounding_box() for tile in page.locator(".tile").all()[:30]]
            for number, one in enumerate(boxes):
                for other in boxes[:number]:
                    assert one
                    assert other
                    apart = one["x"] >= other["x"] + other["width"] or other["x"] >= one["x"] + one["width"]
                    assert apart or one["y"] >= other["y"] + other["height"] or other["y"] >= one["y"] + one["height"]
            page.locator(".tile").nth(1).click()
            if count <= 20:
                found = Axe().run(page)
                assert found.violations_count == 0, found.generate_report()
            assert (visit.told, visit.asked) == ([], [])


def test_a_click_shows_what_is_behind_a_cluster_and_a_line(browser: Browser, tmp_path: Path) -> None:
    wanted = pages.document(5)
    wanted["clusters"][1]["podRanges"] = ["10.0.0.0/16", "10.0.1.0/24"]
    with Visit(browser, pages.written(pages.scene(wanted), tmp_path)) as visit:
        page, panel = visit.page, visit.page.locator("#panel")
        assert panel.locator("h2").inner_text() == "shop"
        page.get_by_role("button", name="us-east-1-a, primary").click()
        assert panel.locator("h2").inner_text() == "us-east-1-a"
        assert "mesh-us-east-1-a-eastwest" in panel.inner_text()
        assert page.url.endswith("#cluster/us-east-1-a")
        line = page.get_by_role("button", name="discovery: europe-west1-a and us-east-1-a")
        line.locator(".hit").click(force=True)
        assert panel.locator("h2").inner_text() == "europe-west1-a ↔ us-east-1-a"
        assert "with the Secret istio-remote-secret-us-east-1-a" in panel.inner_text()
        assert "mesh-us-east-1-a-to-europe-west1-a" in panel.inner_text()
        page.get_by_role("checkbox", name="Discovery").uncheck()
        assert page.locator(".edge[data-layer=discovery]").count() == 0
        assert page.locator(".edge[data-layer=requests]").count() > 0
        assert visit.told == []


def test_all_of_it_works_by_keys(browser: Browser, tmp_path: Path) -> None:
    with Visit(browser, pages.written(pages.scene(pages.document(5)), tmp_path)) as visit:
        page, title = visit.page, visit.page.locator("#panel h2")
        page.get_by_role("button", name="Root CA").focus()
        page.keyboard.press("Tab")
        page.keyboard.press("ArrowRight")
        page.keyboard.press("Enter")
        assert title.inner_text() == "europe-west1-b"
        page.keyboard.press("End")
        assert page.evaluate("document.activeElement.getAttribute('class')") == "edge"
        page.keyboard.press("Enter")
        assert "↔" in title.inner_text()
        page.keyboard.press("Escape")
        assert title.inner_text() == "shop"


def test_many_clusters_are_found_and_their_pairs_are_in_the_matrix(browser: Browser, tmp_path: Path) -> None:
    with Visit(browser, pages.written(pages.scene(pages.document(20)), tmp_path)) as visit:
        page, title = visit.page, visit.page.locator("#panel h2")
        page.get_by_label("Find a cluster").fill("eu-de-c")
        page.keyboard.press("Enter")
        assert title.inner_text() == "eu-de-c"
        signs = page.locator(".tile .peer").all_inner_texts()
        assert (signs.count("⇄"), signs.count("←"), signs.count("")) == (14, 5, 1)
        cell = page.locator("#matrix td[tabindex='0']")
        cell.focus()
        for key in ("ArrowRight", "ArrowDown", "ArrowLeft", "Enter"):
            page.keyboard.press(key)
        assert title.inner_text() == "europe-west1-b → europe-west1-a"
        assert "is served by the istiod of europe-west1-a" in page.locator("#panel").inner_text()


def test_a_name_is_text_whatever_is_in_it(browser: Browser, tmp_path: Path) -> None:
    wanted = pages.document(2)
    wanted["id"] = "</script><img src=x onerror=alert(1)>"
    wanted["clusters"][0]["network"] = "<b>n</b>"
    wanted["clusters"][0]["locality"] = {"region": '"><script>alert(1)</script>'}
    with Visit(browser, pages.written(pages.scene(wanted), tmp_path)) as visit:
        visit.page.locator(".tile").first.click()
        assert visit.page.locator("img").count() == 0
        assert '"><script>alert(1)</script>' in visit.page.locator("#panel").inner_text()
        assert (visit.told, visit.asked) == ([], [])
