# Raw runs of showers and their products.
from skyquilt.runs.shower_files import FOLDER, products_of_runs, runs_folder


def shower_sets():
    """Names of the sets of runs."""
    return list(settings.showers.runs) if settings.showers else []


@cache
def shower_products(name):
    """Raw files of a set of runs, and their products."""
    try:
        return products_of_runs(
            settings.showers.runs[name], runs_folder(settings, name)
        )
    except SkyquiltError as error:
        raise WorkflowError(str(error)) from None


def all_showers(_):
    """Products of all runs."""
    return [
        str(product)
        for name in shower_sets()
        for product in shower_products(name).values()
    ]


@cache
def raw_runs(name):
    """Raw files of a set of runs by the names of their products."""
    return {product.stem: str(path) for path, product in shower_products(name).items()}


def raw_run(wildcards):
    """The raw file of a product."""
    return raw_runs(wildcards.runs)[wildcards.run]


def shower_settings(wildcards):
    """Parameter of a rule: how the runs are reconstructed."""
    runs = settings.showers.runs[wildcards.runs]
    return canonical_json(runs.model_dump(mode="json", exclude={"files"}))
