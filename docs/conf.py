"""Site of the documentation (``make docs``): Markdown pages, and the API from docstrings."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from skyquilt import __version__

project, author, release = "skyquilt", "The skyquilt developers", __version__
extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "reference_pages",
]
exclude_patterns = ["_build"]
html_theme = "furo"
html_title = f"skyquilt {release}"
html_static_path: list[str] = []
myst_enable_extensions = ["dollarmath", "amsmath", "deflist"]
myst_heading_anchors = 4
nb_execution_mode = "off"  # `make notebooks` runs them; their outputs are kept in them
autodoc_member_order = "bysource"
autodoc_typehints = "none"  # docstrings have the types, with shapes and units
napoleon_google_docstring = False
nitpicky = False
linkcheck_timeout = 20
