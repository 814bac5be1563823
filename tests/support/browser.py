"""A real browser, headless: the Chromium or Chrome of this machine, driven by Playwright."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
MISSING = f"no browser: none of {', '.join(NAMES)} is on PATH (on Debian: apt-get install chromium)"


def executable() -> str | None:
    """The browser of this machine."""
    return next(filter(None, map(shutil.which, NAMES)), None)


@contextmanager
def launched() -> Iterator[Browser]:
    """A browser; a test that needs one is not run where there is none, and fails where everything has to be run."""
    program = executable()
    if program is None:
        if os.environ.get("CI"):
            pytest.fail(f"{MISSING}, and in CI nothing is left out")
        pytest.skip(MISSING)
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        # Root may not use Chromium's sandbox; the only page that is opened is our own.
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"] * (os.geteuid() == 0))
        yield browser
        browser.close()


class Visit:
    """One page in a window of its own, and everything it did that it must not do."""

    def __init__(self, browser: Browser, file: Path, *, dark: bool = False, wide: int = 1440, high: int = 900) -> None:
        self._context = browser.new_context(
            color_scheme="dark" if dark else "light", viewport={"width": wide, "height": high}, reduced_motion="reduce"
        )
        self.page: Page = self._context.new_page()
        self.told: list[str] = []
        """What it wrote to the console, and the errors of its script."""
        self.asked: list[str] = []
        """What it asked for, but for itself."""
        self.page.on("console", lambda message: self.told.append(message.text))
        self.page.on("pageerror", lambda error: self.told.append(str(error)))
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.page.goto(file.as_uri())
        self.asked = [url for url in self.asked if not url.startswith((file.as_uri(), "data:"))]

    def __enter__(self) -> Visit:
        return self

    def __exit__(self, *_: object) -> None:
        self._context.close()
