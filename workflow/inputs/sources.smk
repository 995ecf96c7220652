# Inputs of the search for sources.
def catalogue_file(wildcards):
    """Catalogue to compare the sources with; none when the analysis names none."""
    catalogue = settings.analyses[wildcards.analysis].sources.catalogue
    return [] if catalogue is None else [os.path.normpath(catalogue.path)]
