"""Pages in a real browser: no errors, no requests to elsewhere, figures visible."""

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest

from skyquilt.report.analysis import analysis_page
from skyquilt.sky.frames import rotate, rotation, vec_to_lonlat
from skyquilt.sky.healpix import nest_to_vec, vec_to_nest

HOVER = """
const canvas = document.getElementById("sky-map"), box = canvas.getBoundingClientRect();
return arguments[0].map((v) => {
  const at = skyquilt.toScreen(v);
  canvas.dispatchEvent(new PointerEvent("pointermove", {
    clientX: box.left + at[0] * box.width / canvas.width,
    clientY: box.top + at[1] * box.height / canvas.height,
  }));
  return { ...document.getElementById("sky-told").dataset };
});
"""
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

    assert len(sizes) == 11
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


def test_pointer_reads_the_map_where_it_is(browser, page, sky_maps):
    skymap, cells = sky_maps
    metrics = {"width": 1200, "height": 900, "deviceScaleFactor": 1, "mobile": False}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    browser.get(page)
    # centres of pixels, so that a pixel of the screen does not reach into the next
    vec = nest_to_vec(8, np.array([0, 50, 130, 255, 256, 400, 511, 530, 700]))
    fine = nest_to_vec(16, np.array([402]))[0]  # in the pixel that is cut in four
    told = browser.execute_script(HOVER, [*vec.tolist(), fine.tolist()])

    asked = np.array([*vec, fine])
    lon, lat = vec_to_lonlat(asked)
    np.testing.assert_allclose([float(one["b"]) for one in told], lat, atol=0.6)
    away = (np.array([float(one["l"]) for one in told]) - lon + 180) % 360 - 180
    np.testing.assert_allclose(away * np.cos(np.radians(lat)), 0, atol=0.6)
    flux = [float(one["flux"]) for one in told]
    columns = skymap.columns["photon_flux"]
    np.testing.assert_allclose(flux, columns[vec_to_nest(8, asked)], rtol=1e-5)
    ts = [float(one["ts"]) for one in told]
    np.testing.assert_allclose(ts, cells.ts[cells.find(asked)], rtol=1e-5)
    dec = vec_to_lonlat(rotate(rotation("galactic", "icrs"), asked))[1]
    np.testing.assert_allclose([float(one["dec"]) for one in told], dec, atol=0.6)


def test_table_of_sources_is_sorted_by_a_click(browser, products, tmp_path):
    (source,) = products.sources
    rows = [source | {"name": f"SQ J{k}", "ts": float(k)} for k in (30, 4, 200, 7, 9)]
    path = tmp_path / "sorted.html"
    path.write_text(analysis_page(replace(products, sources=rows), "x"), encoding="utf-8")
    browser.get(path.as_uri())
    names = """
        const table = document.querySelector("table.sortable");
        table.querySelectorAll("th button")[4].click();
        return [...table.tBodies[0].rows].map((row) => row.cells[0].textContent);
    """

    assert browser.execute_script(names) == [f"SQ J{k}" for k in (4, 7, 9, 30, 200)]


def test_printed_page_shows_all_settings(browser, page):
    browser.get(page)
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    heights = browser.execute_script(
        "return [...document.querySelectorAll('details pre')].map(p => p.offsetHeight)"
    )
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})

    assert heights
    assert min(heights) > 0


def test_printed_tables_are_as_wide_as_the_paper(browser, page):
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    metrics = {"width": 718, "height": 1000, "deviceScaleFactor": 1, "mobile": False}  # A4
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    browser.get(page)
    widths = browser.execute_script(
        "return [...document.querySelectorAll('table')].map(t => t.getBoundingClientRect().right)"
    )
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})

    assert max(widths) <= 718
