# Inputs of the fits of models.
from pathlib import Path

from skyquilt.products import OF_FITS, PRODUCTS
from skyquilt.runs.answers import of_fit
from skyquilt.runs.tree import wanted_of_fit


def all_fits():
    """Names of the fits of all analyses."""
    models = [analysis.model for analysis in staged_analyses().values()]
    return sorted({fit for model in models if model is not None for fit in model.fits})


def files_of_fits(product, ending=""):
    """Function that gives the files of a product of all fits of a model, or those that end so.

    There are none where an analysis has no model.
    """

    def files(wildcards):
        name = wildcards.analysis
        model = settings.analyses[name].model
        folder = Path(of_analysis(name, "model"))
        return [
            str(path)
            for fit in ([] if model is None else model.fits)
            for path in wanted_of_fit(folder, product, model, fit)
            if path.name.endswith(ending)
        ]

    return files


def model_folder(wildcards):
    """Folder of the model of an analysis, for a verb that writes several files there."""
    return of_analysis(wildcards.analysis, "model")


def settings_of_fit(product):
    """Parameter of a rule: what a product of one fit depends on, not the other fits."""

    def text(wildcards):
        own = own_settings(dumped(wildcards.analysis), product)
        question = {"product": product, "settings": own}
        return canonical_json(of_fit(question, wildcards.fit))

    return text


def ensembles(wildcards):
    """Ensembles of one fit."""
    model = settings.analyses[wildcards.analysis].model
    folder = Path(of_analysis(wildcards.analysis, "model"))
    files = wanted_of_fit(folder, "model_ensembles", model, wildcards.fit)
    return list(map(str, files))


def earlier_fit(wildcards):
    """Fit that another one starts from; none where it begins as configured."""
    earlier = settings.analyses[wildcards.analysis].model.fits[wildcards.fit].start_from
    return (
        []
        if earlier is None
        else of_analysis(wildcards.analysis, f"model/{earlier}.h5")
    )


def best_position(wildcards):
    """Summary of the map, where a source starts at its best position."""
    is_needed = settings.analyses[wildcards.analysis].model.starts_at_best
    return of_analysis(wildcards.analysis, "summary.json") if is_needed else []


for product in OF_FITS:
    for content in PRODUCTS[product].contents:
        ending = Path(content.path).suffix if product == "model_samples" else ""
        parts[content.path] = files_of_fits(product, ending)
