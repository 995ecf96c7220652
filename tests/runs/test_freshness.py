"""What is stale after which change: the table of docs/cluster.md, cell by cell, and more."""

import json
import re
import shutil
from pathlib import Path

import pytest
from stale import read_table_of, replaced, setting

from skyquilt.config import parse_config
from skyquilt.config.analysis import Analysis
from skyquilt.errors import ProductError
from skyquilt.io.answers import read_answers
from skyquilt.products import PRODUCTS, TIME_BINS, all_sections
from skyquilt.runs import answers
from skyquilt.runs.answers import Digests
from skyquilt.runs.freshness import describe_stale, find_stale, find_stale_index
from skyquilt.runs.verify import State, verify_tree
from skyquilt.steps.calibrate import calibrate_files, simulate_skies_file
from skyquilt.steps.localise import localise_analysis
from skyquilt.steps.plan import plan_analysis
from skyquilt.steps.plot import plot_analysis
from skyquilt.steps.plot_calibration import plot_calibration
from skyquilt.steps.prepare import prepare_analysis
from skyquilt.steps.refine import plan_refinement, refine_analysis
from skyquilt.steps.report import report_all, report_analysis
from skyquilt.steps.run import run_analysis
from skyquilt.steps.sources import sources_analysis

pytestmark = pytest.mark.slow  # one analysis with everything, made once

CATALOGUE = "# %ECSV 1.0\n# ---\n# datatype:\n" + "".join(
    f"# - {{name: {name}, datatype: {kind}{unit}}}\n"
    for name, kind, unit in (
        ("name", "string", ""),
        ("ra", "float64", ", unit: deg"),
        ("dec", "float64", ", unit: deg"),
    )
)
SKIES = {"null_skies": 100, "injections": 20, "fluxes": [30.0], "skies_per_job": 100}


OF_MAPS = {
    name: item
    for name, item in PRODUCTS.items()
    if item.asked_by not in ("model", "populations", "targets")
}
"""Products of an analysis with a map; others have tests of their own."""


class Made:
    """A tree with every product of one analysis, and its configuration."""

    def __init__(self, folder, observation):
        catalogue = folder / "catalogue.ecsv"
        catalogue.write_text(CATALOGUE + "name ra dec\na 10.0 20.0\n")
        sources = {"threshold": 1, "catalogue": {"path": str(catalogue)}}
        one = observation.settings | {"sources": sources, "calibrate": SKIES}
        self.settings = {
            "results": str(folder / "results"),
            "cache": str(folder / "cache"),
            "analyses": {"burst": json.loads(json.dumps(one))},
        }
        self.folder = folder / "results/burst"

    def make(self):
        config, folder = parse_config(self.settings), self.folder
        run_analysis(config, "burst", threads=1)
        files = {product.name: folder / product.files[0] for product in PRODUCTS.values()}
        plan_refinement(config, "burst", files["problem"], files["maps"], files["steps"] / "0.json")
        skymap = folder / "skymap.multiorder.fits"
        plot_analysis(
            *(config, "burst", files["problem"], files["maps"], skymap, files["localisation"]),
            *(files["plots"], files["sources"]),
        )
        prepare_analysis(config, "burst", files["model"], all_bins=True)
        skies = [files["skies"] / f"{kind}-000-of-001.h5" for kind in ("null", "injected")]
        for kind, path in zip(("null", "injected"), skies, strict=True):
            simulate_skies_file(config, "burst", files["model"], kind, 0, path)
        table = folder / "calibration.h5"
        calibrate_files(config, "burst", files["model"], skies, files["calibration"], table)
        plot_calibration(files["calibration"], table, folder / "calibration-plots")
        report_analysis(config, "burst", folder, files["page"])
        report_all(config, [files["page"]], folder.parent / "index.html")


@pytest.fixture(scope="session")
def made(tmp_path_factory, session_observation):
    """The tree; tests leave it as it is."""
    tree = Made(tmp_path_factory.mktemp("made"), session_observation)
    tree.make()
    return tree


@pytest.fixture
def change(made):
    """Settings to change."""
    return json.loads(json.dumps(made.settings))


def stale_products(settings, digest=None, name="burst"):
    """Stale products of an analysis by name, with the reasons."""
    config = parse_config(settings)
    found = find_stale(config, name, digest or Digests(config.cache))
    return {item.product: item.reason for item in found}


# How each row of the table in the documentation is brought about, in several ways.
CHANGES = {
    "`spectrum`, `spectra`, `energy`, `datasets`": {
        "index": setting("spectrum", "index", value=-3.5),
        "norm": setting("spectrum", "norm", value="2e-3 cm-2 s-1 keV-1"),
        "sum": setting("energy", "sum_channels", value=True),
    },
    "`instrument`, `data`, `shape`": {
        "shape": setting("shape", value={"model": "disk", "radius": 2.0}),
        "interval": setting("data", "interval", value=[1.8e9, 1.8e9 + 5]),
        "weights": setting("data", "time_weights", value="elapsed"),
        "scale": lambda analysis: analysis["data"]["background"].update(scale=1.1),
        "label": lambda analysis: analysis["data"]["counts"][0].update(label="burst"),
    },
    "a response with other content": {"response": "response.h5"},
    "another input file with other content": {
        name: name for name in ("counts.h5", "background.h5", "orientation.ori")
    },
    "`map`, other keys of `fit` (also `fit.chunks`)": {
        "nside": setting("map", "nside", value=2),
        "ordering": setting("map", "ordering", value="ring"),
        "frame": setting("map", "frame", value="icrs"),
        "chunks": setting("fit", "chunks", value=3),
        "level": setting("fit", "confidence_level", value=0.9),
    },
    "`fit.allow_negative`": {"negative": setting("fit", "allow_negative", value=True)},
    "`refine` but `refine.chunks`": {
        "order": setting("refine", "max_order", value=5),
        "drop": setting("refine", "drop", value=9.0),
        "off": setting("refine", "enabled", value=False),
    },
    "`localise.levels`": {"levels": setting("localise", "levels", value=[0.5])},
    "`localise.systematic_error`": {
        "systematic": setting("localise", "systematic_error", value=2.0)
    },
    "other keys of `localise`": {
        "prior": setting("localise", "prior", value="exposure"),
        "position": setting(
            "localise", "true_position", value={"lon": 1, "lat": 2, "frame": "icrs"}
        ),
    },
    "`sources`, a catalogue with other content": {
        "threshold": setting("sources", "threshold", value=9),
        "catalogue": "catalogue.ecsv",
    },
    "`calibrate`": {
        "seed": setting("calibrate", "seed", value=2),
        "jobs": setting("calibrate", "skies_per_job", value=50),
        "detection": setting("calibrate", "detection_ts", value=16),
    },
    "`plots`": {"colormap": setting("plots", "colormap", value="magma")},
    "`refine.chunks`": {"in chunks": setting("refine", "chunks", value=False)},
    "name of the analysis, version of results": {"name": "copied", "version": "version"},
}


def read_table():
    """Products that each row of the documentation marks."""
    heading, *rows = read_table_of("| change | table |")
    parts = {"plan, chunks, maps": ["plan", "chunks", "maps"], "refined": ["steps", "refined"]}
    return {
        row[0]: {
            product
            for cell, mark in zip(heading[1:], row[1:], strict=True)
            if mark == "x"
            for product in parts.get(cell, [cell])
        }
        for row in rows
    }


CELLS = [(row, name) for row, changes in CHANGES.items() for name in changes]


def test_table_of_the_documentation_has_every_product_and_these_rows():
    table = read_table()
    assert table.keys() == CHANGES.keys()
    assert set().union(*table.values()) == OF_MAPS.keys()


def test_every_section_of_an_analysis_is_one_that_products_depend_on():
    found = all_sections("page", "model_fits", "seds").keys()
    stated = {name for name, field in Analysis.model_fields.items() if not field.exclude}
    assert stated | {TIME_BINS} == found  # they are within `data`


def test_nothing_is_stale_in_what_was_just_made(made, change):
    assert stale_products(change) == {}
    assert find_stale_index(parse_config(change)) == []
    assert {path.name for path in made.folder.iterdir() if path.suffix != ".yaml"} == {
        file for product in OF_MAPS.values() for file in product.files
    }


@pytest.mark.parametrize(("row", "name"), CELLS)
def test_what_the_documentation_marks_is_stale_and_nothing_else(
    made, change, row, name, monkeypatch, tmp_path
):
    how, analysis, digest = CHANGES[row][name], "burst", None
    if how == "copied":
        analysis = "other"
        change["results"] = str(tmp_path)
        change["analyses"] = {"other": change["analyses"]["burst"]}
        shutil.copytree(made.folder, tmp_path / "other")
    elif how == "version":
        monkeypatch.setattr(answers, "RESULTS_VERSION", answers.RESULTS_VERSION + 1)
    elif isinstance(how, str):
        (path,) = (
            path for path in re.findall(r'"([^"]+)"', json.dumps(change)) if path.endswith(how)
        )
        digest = replaced(path)
    else:
        how(change["analyses"]["burst"])
    assert set(stale_products(change, digest, analysis)) == read_table()[row]


def test_reason_names_the_key_and_both_values(change):
    change["analyses"]["burst"]["spectrum"]["index"] = -3.5
    assert set(stale_products(change).values()) == {"spectrum.index was -2.0 and is -3.5"}


def test_reason_of_replaced_data_names_the_file_and_both_digests(change):
    path = change["analyses"]["burst"]["data"]["response"]
    (reason,) = set(stale_products(change, replaced(path)).values())
    assert reason.startswith(f"{path} was replaced: its SHA-256 was ")
    assert reason.endswith(", now 000000000000")


def test_input_without_permission_is_not_told_as_a_matter_of_results(change):
    def digest(path):
        raise PermissionError(13, "Permission denied", str(path))

    # the command line ends with this one's own line, as it does in `check`
    with pytest.raises(PermissionError, match=r"Permission denied"):
        stale_products(change, digest)


def test_product_without_permission_is_refused_with_advice(change, monkeypatch):
    def refuse(path):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr("skyquilt.runs.freshness.read_answers", refuse)
    with pytest.raises(ProductError, match=r"burst/\S+: Permission denied; get the right to read"):
        stale_products(change)


def test_lines_name_reasons_once_and_the_products(change):
    change["analyses"]["burst"]["map"]["nside"] = 2
    config = parse_config(change)
    (line,) = describe_stale(find_stale(config, "burst", Digests(config.cache)))
    assert line.startswith("burst: plan, chunks, maps, ")
    assert line.endswith(": map.nside was 1 and is 2")


@pytest.mark.parametrize("section", ["sources", "calibrate"])
def test_section_taken_away_leaves_its_products_and_redoes_what_showed_them(change, section):
    del change["analyses"]["burst"][section]
    shown = {"sources": {"plots", "page"}, "calibrate": {"page"}}
    assert set(stale_products(change)) == shown[section]


@pytest.mark.parametrize("section", ["sources", "calibrate"])
def test_products_of_a_section_taken_away_are_stale_when_the_maps_are(change, section):
    del change["analyses"]["burst"][section]
    change["analyses"]["burst"]["spectrum"]["index"] = -3.5
    products = {item.name for item in PRODUCTS.values() if item.asked_by == section}
    assert products <= stale_products(change).keys()


def test_analyses_added_or_removed_make_the_index_stale(change):
    change["analyses"]["other"] = change["analyses"]["burst"]
    (stale,) = find_stale_index(parse_config(change))
    assert [path.name for path in stale.paths] == ["index.html"]
    assert stale_products(change, name="other") == {}  # nothing is there


@pytest.fixture
def tree(made, change, tmp_path):
    """A copy of the tree whose data are copied, too, so that they can be changed."""
    text = json.dumps(change)
    data = Path(change["analyses"]["burst"]["data"]["response"]).parent
    shutil.copytree(made.folder.parent.parent, tmp_path / "copy")
    return json.loads(text.replace(str(made.folder.parent.parent), str(tmp_path / "copy"))), data


def test_every_file_says_of_which_analysis_and_product_it_is(made):
    files = [path for path in made.folder.rglob("*") if path.is_file()]
    files = [path for path in files if path.suffix not in (".yaml", ".ecsv")]
    found = {path: read_answers(path) for path in files}
    assert {item["analysis"] for item in found.values()} == {"burst"}
    assert {item["product"] for item in found.values()} == OF_MAPS.keys()


def test_verify_finds_an_analysis_that_was_copied_or_renamed(tree):
    settings, _ = tree
    results = Path(settings["results"])
    (results / "burst").rename(results / "other")
    findings = verify_tree(results)
    of_other = [item for item in findings if item.path.parent.name == "other"]
    states = {item.path.name: item.state for item in of_other}
    for name in ("problem.h5", "plan.json", "maps.fits", "summary.json", "report.html"):
        assert states[name] is State.FOREIGN
    assert all("analysis burst, not other" in f.reason for f in of_other if f.reason)


def test_verify_finds_a_changed_configuration_beside_the_products(tree):
    settings, _ = tree
    path = Path(settings["results"]) / "burst/config.yaml"
    path.write_text(path.read_text().replace("colormap: viridis", "colormap: magma"))
    foreign = [item for item in verify_tree(settings["results"]) if item.state is State.FOREIGN]
    assert {
        item.path.parent.name if item.path.suffix != ".html" else item.path.name for item in foreign
    } == {"plots", "report.html"}
    assert {item.reason for item in foreign} == {"plots.colormap was viridis and is magma"}


class Steps:
    """Each step that reads products, on those of a tree."""

    def __init__(self, settings, folder):
        self.read = folder
        self.config, self.out = parse_config(settings), folder / "new"
        self.given = [folder / PRODUCTS[name].files[0] for name in ("problem", "maps", "refined")]

    def plan(self):
        plan_analysis(self.config, "burst", self.given[0], self.out / "plan.json")

    def plan_refinement(self):
        plan_refinement(self.config, "burst", *self.given[:2], self.out / "0.json")

    def refine(self):
        refine_analysis(self.config, "burst", *self.given[:2], self.out / "refined.fits")

    def localise(self):
        localise_analysis(self.config, "burst", *self.given, self.out)

    def sources(self):
        sources_analysis(self.config, "burst", *self.given[:2], self.out / "sources.ecsv")

    def plot(self):
        names = ("skymap.multiorder.fits", "summary.json")
        files = [self.read / name for name in names]
        plot_analysis(self.config, "burst", *self.given[:2], *files, self.out / "plots")

    def simulate_skies(self):
        model = self.read / "model.h5"
        simulate_skies_file(self.config, "burst", model, "null", 0, self.out / "null.h5")

    def calibrate(self):
        files = (self.out / "calibration.json", self.out / "calibration.h5")
        skies = sorted(self.read.glob("skies/*.h5"))
        calibrate_files(self.config, "burst", self.read / "model.h5", skies, *files)

    def report(self):
        report_analysis(self.config, "burst", self.read, self.out / "report.html")

    def index(self):
        report_all(self.config, [self.read / "report.html"], self.out / "index.html")


STEPS = [name for name in vars(Steps) if not name.startswith("_")]


@pytest.mark.parametrize("step", STEPS)
def test_step_refuses_products_of_another_spectrum_and_writes_nothing(made, change, step):
    change["analyses"]["burst"]["spectrum"]["index"] = -3.5
    steps = Steps(change, made.folder)
    with pytest.raises(ProductError, match=r"index was -2\.0 and is -3\.5; make it again"):
        getattr(steps, step)()
    assert not steps.out.exists()


def test_page_shows_no_figure_of_another_look(made, change):
    change["analyses"]["burst"]["plots"] = {"colormap": "magma"}
    with pytest.raises(ProductError, match=r"plots/.*\.png: plots\.colormap was viridis"):
        Steps(change, made.folder).report()


@pytest.mark.parametrize(
    ("section", "file"), [("sources", "sources.fits"), ("calibrate", "calibration.json")]
)
def test_page_shows_no_numbers_of_other_settings(made, change, section, file):
    key, value = {"sources": ("threshold", 9), "calibrate": ("seed", 7)}[section]
    change["analyses"]["burst"][section][key] = value
    with pytest.raises(ProductError, match=rf"{file}|plots/"):
        Steps(change, made.folder).report()


def test_step_refuses_products_of_another_analysis(made, change):
    change["analyses"] = {"other": change["analyses"]["burst"]}
    with pytest.raises(
        ProductError, match=r"problem\.h5: it was made for analysis burst, not other"
    ):
        plan_analysis(
            parse_config(change), "other", made.folder / "problem.h5", made.folder / "new/plan.json"
        )
