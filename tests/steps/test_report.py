"""Steps that write pages, on the tiny observation."""

import pytest

from skyquilt.errors import ProductError
from skyquilt.steps.plot import plot_analysis
from skyquilt.steps.report import report_all, report_analysis
from skyquilt.steps.sources import sources_analysis


@pytest.fixture
def results(local):
    """Configuration, and the folder with the products of its analysis."""
    config, folder = local.config(), local.localise()
    plot(config, folder)
    return config, folder


def plot(config, folder):
    names = ("problem.h5", "maps.fits", "skymap.multiorder.fits", "summary.json")
    plot_analysis(config, "tiny", *(folder / name for name in names), folder / "plots")


def test_report_shows_the_products_of_the_folder(results):
    config, folder = results

    report_analysis(config, "tiny", folder, folder / "report.html")

    page = (folder / "report.html").read_text(encoding="utf-8")
    assert page.count("<img ") == len(list((folder / "plots").glob("*.png")))
    assert 'href="maps.fits"' in page
    assert 'href="../index.html"' in page


def test_index_links_the_pages(results):
    config, folder = results
    report_analysis(config, "tiny", folder, folder / "report.html")

    report_all(config, [folder / "report.html"], folder.parent / "index.html")

    assert 'href="tiny/report.html"' in (folder.parent / "index.html").read_text(encoding="utf-8")


def test_report_without_a_summary_names_it(results, untouched):
    config, folder = results
    (folder / "summary.json").unlink()

    with (
        untouched(folder),
        pytest.raises(ProductError, match=r"summary\.json: cannot be read \(No such file"),
    ):
        report_analysis(config, "tiny", folder, folder / "report.html")


def test_report_of_an_analysis_whose_skies_are_missing_is_refused(results, local):
    _, folder = results
    local.settings["calibrate"] = {}

    with pytest.raises(ProductError, match=r"calibration\.json: cannot be read"):
        report_analysis(local.config(), "tiny", folder, folder / "report.html")


@pytest.mark.slow
def test_report_lists_the_sources(results, local):
    _, folder = results
    local.settings["sources"] = {"threshold": 1}
    sources_analysis(
        local.config(), "tiny", folder / "problem.h5", folder / "maps.fits", folder / "sources.ecsv"
    )
    plot(local.config(), folder)

    report_analysis(local.config(), "tiny", folder, folder / "report.html")

    assert "SQ J" in (folder / "report.html").read_text(encoding="utf-8")
