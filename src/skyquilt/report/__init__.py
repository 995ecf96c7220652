"""One self-contained HTML page per analysis, and a page that lists them all."""
