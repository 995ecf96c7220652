# The page of all analyses.
def index_page():
    """Page of all analyses; none where no analysis has a page."""
    is_any = any(analysis.has_map for analysis in staged_analyses().values())
    return rules.list_reports.output.index if is_any else []
