# Inputs of the rules of populations.


def population_folder(wildcards):
    """Folder of the populations of an analysis."""
    return of_analysis(wildcards.analysis, "populations")


def population_files(wildcards):
    """Files of templates and catalogues of an analysis."""
    populations = settings.analyses[wildcards.analysis].populations
    return (
        [] if populations is None else list(map(os.path.normpath, populations.paths()))
    )
