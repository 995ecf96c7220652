# Inputs of the rules that prepare problems.
def response_files(wildcards):
    """Responses of all data sets of an analysis, each once."""
    responses = settings.analyses[wildcards.analysis].responses()
    return list(dict.fromkeys(map(os.path.normpath, responses)))
