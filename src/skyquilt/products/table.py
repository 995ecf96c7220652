"""Every product of an analysis, in the order of making."""

from typing import Literal

from skyquilt.products.product import Content, Product


def _file(path: str, kind: str, about: str = "") -> Content:
    return Content(path, (f"skyquilt/{kind}",), about)


def _folder(path: str, kinds: str, folder: Literal["figures", "whole"]) -> Content:
    return Content(path, tuple(f"skyquilt/{kind}" for kind in kinds.split()), folder=folder)


def _parts(path: str, kinds: str, *names: str) -> Content:
    return _folder(path, kinds, "whole")._replace(folder="parts", parts=names)


def _of_fits(path: str, kind: str, about: str = "") -> Content:
    return _file(path, kind, about)._replace(folder="parts")


def _whole(*names: str) -> dict[str, bool]:
    return dict.fromkeys(names, True)


TIME_BINS = "time_bins"
"""Of data and data sets: settings of models only."""

_TABLE = _whole("energy", "datasets", "spectrum", "spectra")
_PROBLEM = _TABLE | _whole("instrument", "data", "shape", "flux_range")
# in chunks or not, cells are the same
_CELLS = frozenset({"enabled", "drop", "max_order"})
_REFINED = {"refine": _CELLS, "localise": frozenset({"levels", "systematic_error"})}
_SOURCES = _whole("sources", "fit") | {"localise": frozenset({"systematic_error"})}
_SKIES = _whole("map", "fit", "calibrate")
_LEVEL = frozenset({"confidence_level"})

# what is drawn changes no number
_LISTED = frozenset(
    {
        *("bands", "region", "background", "neighbours", "free_above", "own_radius", "limits"),
        *("scan", "rosters", "profiles", "aliases", "spectra", "targets_per_job"),
    }
)

PRODUCTS = {
    product.name: product
    for product in (
        Product(
            "table",
            (_file("table.json", "table-note"),),
            "contract",
            "response x spectrum, kept in the cache",
            _TABLE,
            data="responses",
            of_map=True,
        ),
        Product(
            "problem",
            (
                _file(
                    *("problem.h5", "problem"),
                    "counts, background and expected counts that were fitted",
                ),
            ),
            "prepare",
            "counts, background, orientation, table",
            # bins without counts bound fluxes below zero
            _PROBLEM | {"fit": frozenset({"allow_negative"})},
            data="measurement",
            of_map=True,
        ),
        Product(
            "plan",
            (_file("plan.json", "plan"),),
            "plan",
            "which pixels, in how many chunks",
            _whole("map", "fit"),
            ("problem",),
            of_map=True,
        ),
        Product(
            "chunks",
            (_parts("chunks", "chunk", "*.h5"),),
            "fit-chunk",
            "one chunk of pixels (MPI-aware)",
            {},
            ("plan",),
            of_map=True,
        ),
        Product(
            "maps",
            (
                _file(
                    *("maps.fits", "maps"),
                    "maps of TS, flux and their errors; opens in healpy, TOPCAT, Aladin",
                ),
            ),
            "merge",
            "chunks side by side",
            {},
            ("chunks",),
            of_map=True,
        ),
        Product(
            "steps",
            (_parts("refine", "plan chunk", "*.json", "*/*.h5"),),
            "plan-refinement",
            "next pixels of a refinement in chunks",
            _REFINED,
            ("maps",),
            of_map=True,
            in_run=False,
        ),
        Product(
            "refined",
            (
                _file(
                    "refined.fits", "refined", "TS on a multi-order grid that resolves the region"
                ),
            ),
            "refine",
            "the map made finer where the source may be",
            _REFINED,
            ("maps",),
            of_map=True,
        ),
        Product(
            "localisation",
            (
                _file("summary.json", "summary", "all numbers of this page"),
                _file(
                    *("skymap.multiorder.fits", "skymap"),
                    "multi-order localisation map for ligo.skymap, mocpy, alert systems",
                ),
                _file("skymap.fits", "flat-skymap", "the same as a flat HEALPix map"),
                _folder("regions", "region", "whole"),
            ),
            "localise",
            "best position, posterior, regions",
            _whole("localise"),
            ("refined",),
            of_map=True,
        ),
        Product(
            "sources",
            (
                _file(
                    *("sources.fits", "sources"),
                    "source list as FITS, with the catalogue's objects",
                ),
                _file("sources.ecsv", "sources", "source list as text"),
            ),
            "sources",
            "sources above a threshold",
            _SOURCES,
            ("maps",),
            data="catalogue",
            asked_by="sources",
        ),
        Product(
            "plots",
            (_folder("plots", "figures figure", "figures"),),
            "plot",
            "figures as PNG and PDF",
            _whole("plots"),
            ("localisation", "sources"),
            of_map=True,
            in_run=False,
        ),
        Product(
            "model",
            (_file("model.h5", "problem"),),
            "prepare",
            "the same with --all-bins, to simulate skies",
            _PROBLEM,
            data="measurement",
            asked_by="calibrate",
            in_run=False,
        ),
        Product(
            "skies",
            (_parts("skies", "skies", "*.h5"),),
            "simulate-skies",
            "skies without a source, or with one each",
            _SKIES,
            ("model",),
            asked_by="calibrate",
            in_run=False,
        ),
        Product(
            "calibration",
            (
                _file(
                    *("calibration.json", "calibration-summary"),
                    "numbers of the simulated skies",
                ),
                _file("calibration.h5", "calibration"),
                _folder("calibration-plots", "figures figure", "figures"),
            ),
            "calibrate",
            "global p-value, bias, efficiency, coverage",
            _whole("localise"),
            ("skies",),
            asked_by="calibrate",
            in_run=False,
        ),
        Product(
            "model_problem",
            (_file("model/problem.h5", "model-problem"),),
            "model prepare",
            "counts, backgrounds and responses of all time bins and data sets of a model",
            _whole("energy", "datasets", "spectrum", "spectra", "instrument", "data", TIME_BINS)
            | {"model": frozenset({"radius", "epoch", "sources"})},
            data="measurement",
            asked_by="model",
        ),
        Product(
            "model_fits",
            (_parts("model", "model model-table", "*.h5", "*.ecsv"),),
            "model fit",
            "a fit of the model, with tables of its parameters and its bins",
            _whole("model") | {"fit": frozenset({"confidence_level"})},
            ("model_problem",),
            asked_by="model",
        ),
        Product(
            "model_profiles",
            (_of_fits("model/*/profile-*.h5", "model-profile"),),
            "model profile",
            "profiles of the likelihood along numbers of a fit",
            _whole("model"),
            ("model_fits",),
            asked_by="model",
            in_run=False,
        ),
        Product(
            "model_ensembles",
            (_of_fits("model/*/ensemble-*.h5", "model-ensemble"),),
            "model sample",
            "one ensemble of samples of a fit",
            _whole("model"),
            ("model_fits",),
            asked_by="model",
            in_run=False,
        ),
        Product(
            "model_samples",
            (
                _of_fits("model/*-samples.h5", "model-samples"),
                _of_fits("model/*-samples.ecsv", "model-table"),
            ),
            "model collect",
            "the ensembles of a fit, joined",
            _whole("model"),
            ("model_ensembles",),
            asked_by="model",
            in_run=False,
        ),
        Product(
            "model_comparison",
            (_file("model/comparison.json", "model-comparison", "fits of the model, compared"),),
            "model collect",
            "the fits of a model side by side, and compared",
            _whole("model"),
            ("model_fits",),
            asked_by="model",
        ),
        Product(
            "model_plots",
            (_folder("model/plots", "figures figure", "figures"),),
            "model plot",
            "figures of the fits of a model",
            _whole("model"),
            ("model_profiles", "model_samples"),
            asked_by="model",
            in_run=False,
        ),
        Product(
            "target_problem",
            (_file("targets/problem.h5", "problem"),),
            "targets prepare",
            "counts, background and expected counts of targets, in all bins",
            _PROBLEM | {"targets": frozenset({"bands"})},
            data="measurement",
            asked_by="targets",
        ),
        Product(
            "target_baseline",
            (_file("targets/baseline.h5", "targets-baseline"),),
            "targets baseline",
            "fluxes of listed sources together, in each band",
            {"targets": frozenset({"neighbours"})},
            ("sources", "target_problem"),
            data="rosters",
            asked_by="targets",
        ),
        Product(
            "target_list",
            (
                _file("targets/plan.json", "targets-plan"),
                _file("targets/targets.ecsv", "targets", "targets of all rosters"),
            ),
            "targets list",
            "targets of all rosters, and the jobs that fit them",
            {"targets": _LISTED, "fit": _LEVEL},
            ("target_baseline",),
            data="rosters",
            asked_by="targets",
        ),
        Product(
            "target_seds",
            (_parts("targets/seds", "targets-seds", "*.h5"),),
            "targets fit",
            "targets of a job in all bands",
            {},
            ("target_list",),
            asked_by="targets",
        ),
        Product(
            "seds",
            (
                _file(
                    *("targets/seds.fits", "seds"),
                    "profiles of the flux of each target in each band; opens in fermipy",
                ),
                _file("targets/seds.ecsv", "seds", "spectra of the targets as text"),
                _file("targets/spectra.ecsv", "target-spectra", "models of the spectra of targets"),
                _folder("targets/sed", "sed", "whole"),
            ),
            "targets merge",
            "spectra of all targets as tables",
            {},
            ("target_seds",),
            asked_by="targets",
        ),
        Product(
            "target_plots",
            (_folder("targets/plots", "figures figure", "figures"),),
            "targets plot",
            "figures of the spectra of targets",
            {"targets": frozenset({"plots"})},
            ("seds",),
            asked_by="targets",
            in_run=False,
        ),
        Product(
            "population_problem",
            (_file("populations/problem.h5", "problem"),),
            "populations prepare",
            "events, with what is seen at the energy of each",
            _PROBLEM,
            data="measurement",
            asked_by="populations",
        ),
        Product(
            "densities",
            (_file("populations/densities.h5", "densities"),),
            "populations marginalise",
            "density of each population at each event, and its expected events",
            {"populations": frozenset({"components"})},
            ("population_problem",),
            data="populations",
            asked_by="populations",
        ),
        Product(
            "population_fits",
            (
                _file(
                    *("populations/populations.json", "populations"),
                    "fractions of the populations, parameters, errors, TS, evidence",
                ),
                _file("populations/posterior.h5", "posterior", "draws from the posterior"),
            ),
            "populations infer",
            "fractions and parameters: best ones and posterior",
            {"populations": frozenset({"alpha", "compare", "posterior"})},
            ("densities",),
            asked_by="populations",
        ),
        Product(
            "classes",
            (
                _file(
                    *("populations/classes.fits", "classes"),
                    "probability of each event for each population",
                ),
            ),
            "populations classify",
            "probability of each event for each population",
            {"populations": frozenset({"probabilities"})},
            ("population_fits",),
            asked_by="populations",
        ),
        Product(
            "page",
            (_file("report.html", "page"),),
            "report",
            "a page with all of it; and an index of the pages",
            _whole(
                "map",
                "fit",
                "refine",
                "localise",
                "sources",
                "calibrate",
                "plots",
                "model",
                "populations",
            ),
            ("plots", "calibration", "model_comparison", "model_plots", "population_fits"),
            in_run=False,
        ),
    )
}
"""All products by name, in the order of making."""

CONTENTS = {content.path: content for item in PRODUCTS.values() for content in item.contents}
"""All files and folders of products by their paths, in the order of making."""

FOLDERS = tuple(path for path, item in CONTENTS.items() if item.folder in ("figures", "whole"))
"""Folders that are made as a whole."""

VERBS = tuple(dict.fromkeys(product.verb for product in PRODUCTS.values()))
"""Verbs that make products, in the order of making."""
