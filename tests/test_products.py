import pytest

from skyquilt.products import CONTENTS, PRODUCTS, VERBS, asked_products, kinds_at


def test_products_come_after_what_they_are_made_from():
    names = list(PRODUCTS)
    for product in PRODUCTS.values():
        assert all(names.index(need) < names.index(product.name) for need in product.needs)


def test_no_file_is_of_two_products():
    files = [file for product in PRODUCTS.values() for file in product.files]
    assert len(files) == len(set(files)) == len(CONTENTS)


def test_verbs_are_in_the_order_of_making():
    assert VERBS[:3] == ("contract", "prepare", "plan")
    assert VERBS[-1] == "report"


@pytest.mark.parametrize("sections", [(), ("sources",), ("calibrate",), ("sources", "calibrate")])
def test_asked_products_are_those_of_all_and_of_the_sections(sections):
    names = {item.name for item in asked_products(lambda section: section in sections)}
    for product in PRODUCTS.values():
        assert (product.name in names) == (product.asked_by in ("", *sections))


@pytest.mark.parametrize(
    ("path", "kinds"),
    [
        ("refine/0.json", ("skyquilt/plan", "skyquilt/chunk")),
        ("refine/0/000-of-001.h5", ("skyquilt/plan", "skyquilt/chunk")),
        ("plots/ts.png", ("skyquilt/figures", "skyquilt/figure")),
        ("model.h5", ("skyquilt/problem",)),
        ("maps.gadf.fits", ()),
        ("other/maps.fits", ()),
    ],
)
def test_kinds_at_a_place(path, kinds):
    assert kinds_at(path) == kinds
