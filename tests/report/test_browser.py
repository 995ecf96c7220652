"""Pages in a real browser: no errors, no requests to elsewhere, figures visible."""

import json
import shutil

import pytest

from skyquilt.report.analysis import analysis_page

BROWSERS = ("chromium", "chromium-browser", "google-chrome")

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def browser():
    """Chromium without a window, and a log of what it asks for."""
    binary = next(filter(None, map(shutil.which, BROWSERS)), None)
    driver = shutil.which("chromedriver")
    if binary is None or driver is None:
        pytest.skip("no Chromium with its driver: install chromium and chromium-driver")
    from selenium import webdriver

    options = webdriver.ChromeOptions()
    options.binary_location = binary
    for argument in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    service = webdriver.ChromeService(executable_path=driver)
    with webdriver.Chrome(options=options, service=service) as started:
        yield started


@pytest.fixture
def page(products, tmp_path):
    path = tmp_path / "report.html"
    path.write_text(analysis_page(products, "../index.html"), encoding="utf-8")
    return path.as_uri()


def requests(browser):
    """Addresses asked for since the last call."""
    events = [json.loads(entry["message"])["message"] for entry in browser.get_log("performance")]
    return [
        event["params"]["request"]["url"]
        for event in events
        if event["method"] == "Network.requestWillBeSent"
    ]


def test_page_has_no_errors_and_asks_for_nothing_else(browser, page):
    browser.get(page)

    assert browser.get_log("browser") == []
    assert [url for url in requests(browser) if not url.startswith("data:")] == [page]


def test_every_figure_is_drawn(browser, page):
    browser.get(page)
    sizes = browser.execute_script(
        "return [...document.images].map(i => [i.complete, i.naturalWidth, i.offsetWidth])"
    )

    assert len(sizes) == 8
    assert all(complete and natural > 0 and shown > 0 for complete, natural, shown in sizes)


@pytest.mark.parametrize("width", [360, 1400], ids=["phone", "desk"])
def test_page_fits_the_width_of_the_screen(browser, page, width):
    # a window cannot be as narrow as a phone; the emulated screen can
    metrics = {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": width < 500}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    browser.get(page)

    assert browser.execute_script("return document.documentElement.scrollWidth") <= width


def test_page_prints_all_its_figures(browser, page):
    browser.get(page)
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    hidden = browser.execute_script(
        "return getComputedStyle(document.querySelector('nav')).display"
    )
    shown = browser.execute_script("return [...document.images].every(i => i.offsetWidth > 0)")

    assert (hidden, shown) == ("none", True)
