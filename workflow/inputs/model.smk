# Inputs of the fits of models.
from pathlib import Path

from skyquilt.products import fit_files
from skyquilt.runs.answers import of_fit


def all_fits():
    """Names of the fits of all analyses."""
    models = [analysis.model for analysis in settings.analyses.values()]
    return sorted({fit for model in models if model is not None for fit in model.fits})


def model_files(wildcards):
    """Files of the fits of a model; none where an analysis has none."""
    name = wildcards.analysis
    model = settings.analyses[name].model
    folder = Path(of_analysis(name, "model"))
    fits = [] if model is None else model.fits
    return [str(path) for fit in fits for path in fit_files(folder, fit)]


def model_folder(wildcards):
    """Folder of the model of an analysis, for a verb that writes several files there."""
    return of_analysis(wildcards.analysis, "model")


def settings_of_fit(wildcards):
    """Parameter of the rule: what one fit depends on, not the other fits."""
    own = own_settings(dumped(wildcards.analysis), "model_fits")
    return canonical_json(of_fit({"settings": own}, wildcards.fit))


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


parts["model"] = model_files
