"""Every product of an analysis: its files, which verb makes it, and what it answers.

This is the one list of them. The rules, `run`, `status`, `verify`, `report` and the help take from
here what there is, in which order it is made, and which settings and files each product depends on.
"""

from skyquilt.products.fits import (
    OF_FITS,
    files_of_fit,
    fit_files,
    fit_of,
    fits_in,
    part_file,
    sample_files,
)
from skyquilt.products.product import INDEX, LISTING, Content, Product, Sections
from skyquilt.products.queries import (
    all_sections,
    always_made,
    ancestry,
    asked_ancestry,
    asked_products,
    kinds_at,
    select,
)
from skyquilt.products.table import CONTENTS, FOLDERS, PRODUCTS, TIME_BINS, VERBS

__all__ = [
    "CONTENTS",
    "FOLDERS",
    "INDEX",
    "LISTING",
    "OF_FITS",
    "PRODUCTS",
    "TIME_BINS",
    "VERBS",
    "Content",
    "Product",
    "Sections",
    "all_sections",
    "always_made",
    "ancestry",
    "asked_ancestry",
    "asked_products",
    "files_of_fit",
    "fit_files",
    "fit_of",
    "fits_in",
    "kinds_at",
    "part_file",
    "sample_files",
    "select",
]
