"""The page of one analysis."""

import re
from dataclasses import replace
from html import unescape

import pytest

from skyquilt.errors import ProductError
from skyquilt.report.analysis import ARCHIVES, analysis_page, headline


def text_of(page):
    """Words of a page without its marks and style."""
    body = page.partition("<body>")[2] or page
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", body)).split())


def headings(page):
    return re.findall(r"<h2>(.*?)</h2>", page)


def test_page_has_a_section_for_every_product(products):
    assert headings(analysis_page(products, "../index.html")) == [
        *("Result", "Position", "Sources", "Counts", "Calibration"),
        *("Quality", "Time", "Configuration", "Provenance"),
    ]


def test_page_without_sources_and_skies_leaves_their_sections_out(products):
    products = replace(products, sources=None, calibration=None)

    assert not {"Sources", "Calibration"} & set(headings(analysis_page(products, "x")))


def test_page_tells_the_numbers(products):
    text = text_of(analysis_page(products, "x"))

    for words in (
        "TS 40.0 at R.A. 93.04°, Dec. \N{MINUS SIGN}53.00°; 90 % credible region of 17.5 deg²",
        "photon flux, 251\N{EN DASH}398 keV 0.600 ± 0.069 ph cm⁻² s⁻¹",
        "energy flux, 251\N{EN DASH}398 keV (3.00 ± 0.34) × 10⁻⁷ erg cm⁻² s⁻¹",
        "The best position is 0.04° from the true one",
        "holds the true position has 23.4 % of the probability on 3.25 deg²",
        "90 % 17.5 deg² 1 yes yes",
        "photon flux, 251\N{EN DASH}398 keV [ph cm⁻² s⁻¹]",
        "1 source. Positions, TS and fluxes are those of the search",
        "SQ J1 1.000° 2.000° 0.100° 40.0 0.600 ± 0.070 Crab",
        "< 10⁻⁶ (extrapolated); 0 of 1000 simulated skies",
        "below 0.0037 (95 %)",
        "90 % 4.61 0.870 ± 0.010 5.10 (4.90 to 5.30)",
        "at bound 72 2.34 %",
        "2028-02-29T23:00:10.250Z to 2028-02-29T23:00:50.250Z, 40.00 s",
        "data/grb.h5 cdcdcdcdcdcdcdcd",
        "2 steps in the median and 5 at most",
        "fit 3 2.00 1.50 80.0",
        "problem.h5 2.00 abababababababab",
    ):
        assert words in text


def test_page_gives_one_region_and_one_unit(products):
    page = analysis_page(products, "x")
    at, skies = page.index('<section id="quality">'), page.index('<section id="calibration">')
    before, after = text_of(page[:skies]), text_of(page[at:])

    assert "containment region" not in before
    assert "90 % containment region" in after
    assert "reference" not in before.replace("reference spectrum", "")
    assert "arcmin" not in text_of(page)


def test_limit_has_its_level_and_unit(products, summary):
    summary["best"]["flux_ul"] = 0.05

    words = "95 % upper limit, 251\N{EN DASH}398 keV 0.857 ph cm⁻² s⁻¹"
    assert words in text_of(analysis_page(products, "x"))


def test_every_figure_is_inside_and_has_a_text_alternative(products):
    page = analysis_page(products, "x")
    images = re.findall(r"<img ([^>]*)>", page)

    assert len(images) == 11
    for attributes in images:
        assert 'src="data:image/png;base64,iVBOR' in attributes
        assert len(re.search(r'alt="([^"]*)"', attributes)[1]) > 30


def test_page_asks_for_nothing_outside(products):
    page = analysis_page(products, "x")

    targets = re.findall(r"""(?:src|href)=["']([^"']*)""", page)
    own = {"x", "maps.fits", "summary.json"}
    for kind in ("containment", "credible"):
        own |= {f"regions/{kind}-90.{ending}" for ending in ("fits", "reg")}
    own |= set(ARCHIVES.values())  # links, which people follow
    assert {unescape(t) for t in targets if not t.startswith(("data:", "#"))} - own == set()
    assert 'src="http' not in page
    assert "fetch(" not in page
    assert "XMLHttpRequest" not in page
    assert "@import" not in page
    assert "url(" not in page


def test_names_cannot_smuggle_markup_in(products):
    products = replace(products, sky={"points": [{"label": "</script><b>"}]})
    page = analysis_page(products, "x")

    assert "</script><b>" not in page

    assert "burst &lt;1&gt;" in page
    assert "burst <1>" not in page


def test_warnings_stand_on_top(products, summary):
    summary["pixels"]["by_status"]["not_converged"] = 3
    summary["credible"] = [summary["credible"][0] | {"is_cut": True}]
    summary |= {"n_masked_bins": 4, "n_masked_counts": 7.0}

    page = analysis_page(products, "x")

    assert re.findall(r'<p class="warning">(.*?)</p>', page) == [
        "3 pixels could not be fitted (not converged).",
        "The 90 % credible region touches pixels without a TS; it may go on there.",
        "7.00 counts in 4 bins without background were left out.",
    ]


def test_page_of_a_sky_without_a_source_says_so(products, summary):
    summary |= {"best": None, "offset_deg": None, "searched": None}

    text = text_of(analysis_page(replace(products, sources=[]), "x"))

    assert headline(summary) == "No direction prefers a source: TS is 0 everywhere."
    assert "No source is above the threshold" in text


def test_common_p_value_is_given_with_its_binomial_error(products, calibration):
    calibration["null"] |= {"n_above": 200, "p_value": 0.2, "p_value_from": "skies"}
    calibration["null"] |= {"counted_p_value": 0.2, "counted_p_value_err": 0.0126}

    assert "0.200 ± 0.013; 200 of 1000" in text_of(analysis_page(products, "x"))


def test_long_source_list_is_cut_and_says_so(products):
    products = replace(products, sources=list(products.sources) * 150)

    page = analysis_page(products, "x")

    assert "150 sources, the first 100 of them shown. " in page
    assert page.count("<td>SQ J1</td>") == 100


def test_figure_that_is_no_png_is_refused(products):
    products.plots[0].write_bytes(b"GIF89a")

    with pytest.raises(ProductError, match=r"ts\.png: not a PNG file; draw it again"):
        analysis_page(products, "x")


def test_figure_that_is_missing_is_named(products):
    products.plots[0].unlink()

    with pytest.raises(ProductError, match=r"ts\.png: cannot be read .*`skyquilt plot`"):
        analysis_page(products, "x")


def test_page_names_the_shape_of_the_source(products, summary):
    assert "shape of the source" not in analysis_page(products, "index.html")
    summary["shape"] = "map: shell.fits around (257.9000, -39.5000) icrs"
    page = analysis_page(products, "index.html")
    assert "shape of the source" in page
    assert summary["shape"] in page


def test_page_lists_components_of_the_background(products, summary):
    one = {"counts": 12.5, "scale": 2.0, "scale_from": "configuration"}
    summary["backgrounds"] = {"galactic": one}
    summary["datasets"] = {"run-1": {"backgrounds": {"cosmic-rays": one | {"counts": 55.0}}}}

    page = text_of(analysis_page(replace(products, summary=summary), "../report.html"))

    assert "galactic 12.5 2.00 configuration" in page
    assert "run-1/cosmic-rays 55.0 2.00 configuration" in page
    assert "Background scaled by" not in page
