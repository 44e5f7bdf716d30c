"""ComfyUI in a real browser: the oldest and the newest frontend, on one real server each. What is
missing is a failure, never a skip."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from support import browser_server
from support.browser_server import FRONTENDS, RETURNING, VERSIONS, Site
from support.browsers import ARGUMENTS, DEV, OWN_BROWSERS, find_chromium
from support.canvas import Canvas
from support.page_log import Watch

HERE = Path(__file__).parent
FAILED = pytest.StashKey[bool]()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker(pytest.mark.browser)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.failed:
        item.stash[FAILED] = True
    return report


@pytest.fixture(scope="session")
def open_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Site]]:
    """``open_site(frontend)``: the one server with this frontend, started when first asked for."""
    opened: dict[str, Site] = {}
    with ExitStack() as servers:

        def open_or_known(frontend: str) -> Site:
            if frontend not in opened:
                folder = tmp_path_factory.mktemp("site")
                opened[frontend] = servers.enter_context(browser_server.open_site(frontend, folder))
            return opened[frontend]

        yield open_or_known


@pytest.fixture(scope="package")
def chromium() -> Iterator[Browser]:
    """The browser of this folder. While it is open the thread's event loop is Playwright's, so it
    is closed before the tests of other folders, which run other loops."""
    with pytest.MonkeyPatch.context() as patch:
        found = find_chromium()
        if not found:
            patch.setenv("PLAYWRIGHT_BROWSERS_PATH", str(OWN_BROWSERS))
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=found, args=list(ARGUMENTS))
            yield browser
            browser.close()


@pytest.fixture(scope="session")
def screenshots() -> Path:
    return Path(os.environ.get("SCREENSHOTS_FOLDER") or DEV / "screenshots").absolute()


Opener = Callable[..., Canvas]


@pytest.fixture(scope="package")
def opener(chromium: Browser, screenshots: Path) -> Opener:
    """Return a function that opens a page in a browser without history, in ``locale``."""

    def open_canvas(site: Site, locale: str = "en-US") -> Canvas:
        size = {"width": 1440, "height": 900}
        context = chromium.new_context(viewport=size, locale=locale, reduced_motion="reduce")
        page = context.new_page()
        page.set_default_timeout(15_000)
        watch = Watch(site.url)
        watch.follow(page)
        canvas = Canvas(page, site.url, screenshots, site.frontend, watch)
        canvas.open()
        return canvas

    return open_canvas


@pytest.fixture
def visit(opener: Opener) -> Iterator[Opener]:
    """``visit(site)``: a page that ends with the test. No error may be left on it."""
    visits: list[Canvas] = []

    def open_canvas(site: Site, locale: str = "en-US") -> Canvas:
        visits.append(opener(site, locale))
        return visits[-1]

    yield open_canvas
    for canvas in visits:
        canvas.page.context.close()
    for canvas in visits:
        canvas.watch.check()


@pytest.fixture(params=FRONTENDS, ids=VERSIONS)
def site(request: pytest.FixtureRequest, open_site: Callable[[str], Site]) -> Site:
    """Each frontend in turn, with the sandbox set and nothing else."""
    site = open_site(request.param)
    site.begin(**RETURNING)
    site.sign_in()
    return site


@pytest.fixture(scope="module")
def shared_pages() -> Iterator[dict[str, Canvas]]:
    pages: dict[str, Canvas] = {}
    yield pages
    for canvas in pages.values():
        canvas.page.context.close()


@pytest.fixture
def canvas(
    request: pytest.FixtureRequest,
    site: Site,
    shared_pages: dict[str, Canvas],
    opener: Opener,
) -> Iterator[Canvas]:
    """An empty canvas on each frontend in turn, on a page that a file's tests share as long as they
    succeed: they leave nothing open on it."""
    canvas = shared_pages.pop(site.frontend, None) or opener(site)
    canvas.clear()
    yield canvas
    if request.node.stash.get(FAILED, False):
        canvas.shoot(f"failed-{request.node.originalname}")
        canvas.page.context.close()
    else:
        shared_pages[site.frontend] = canvas
    canvas.watch.check()


@pytest.fixture
def prompt(request: pytest.FixtureRequest) -> str:
    """A prompt that no other test uses, and whose words ask for one image."""
    return "draw " + re.sub(r"\W", "_", request.node.name) + "!"
