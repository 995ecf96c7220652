# Files of simulated skies.
from pathlib import Path

from skyquilt.runs.tree import skies_paths


def skies_files(wildcards):
    """Simulated skies of an analysis; none where it does not ask for them."""
    name = wildcards.analysis
    options = settings.analyses[name].calibrate
    return list(map(str, skies_paths(Path(of_analysis(name, "skies")), options)))


parts["skies"] = skies_files
