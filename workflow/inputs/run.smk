# Analyses that are made in one job each.
def small_summaries():
    """The last product of every analysis that is made in one job."""
    return [of_analysis(name, "summary.json") for name in sorted(settings.one_job)]


def small_data(wildcards):
    """All files that an analysis reads its data from."""
    paths = settings.analyses[wildcards.small].paths()
    return [os.path.normpath(path) for path in paths]


def small_config(wildcards):
    """Resolved configuration of an analysis."""
    return of_analysis(wildcards.small, "config.yaml")


def small_settings(wildcards):
    """Parameter of a rule: the settings of all products, see `settings_of`."""
    own = dumped(wildcards.small)
    products = products_of_analysis(wildcards.small)
    return canonical_json({name: own_settings(own, name) for name in products})
