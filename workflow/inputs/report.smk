# The page of all analyses.
def index_page():
    """Page of all analyses; none where no analysis is made in stages."""
    return rules.list_reports.output.index if staged_analyses() else []
