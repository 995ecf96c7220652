"""Drawing on axes that are given."""

import matplotlib as mpl
import numpy as np
import pytest
from astropy.wcs import WCS
from matplotlib.figure import Figure

import skyquilt


@pytest.fixture(scope="module")
def tiny(session_observation):
    names = ("counts", "background", "response")
    given = {name: session_observation.path(f"{name}.h5") for name in names}
    return skyquilt.localise(
        **given,
        orientation=session_observation.path("orientation.ori"),
        spectrum=session_observation.settings["spectrum"],
        nside=2,
    )


def wcs_axes(ctype):
    """Axes of astropy around the Galactic centre, or the north celestial pole."""
    wcs = WCS(naxis=2)
    wcs.wcs.ctype = ctype
    wcs.wcs.crval = [10, 40]
    wcs.wcs.cdelt = [-2, 2]
    wcs.wcs.crpix = [20, 15]
    wcs.array_shape = (30, 40)
    return Figure().add_subplot(projection=wcs)


@pytest.mark.parametrize("name", ["ts", "photon_flux", "flux_ul"])
@pytest.mark.parametrize("ctype", [("GLON-TAN", "GLAT-TAN"), ("RA---TAN", "DEC--TAN")])
def test_maps_on_axes_of_astropy_show_the_pixel_of_each_place(tiny, name, ctype):
    import healpy

    ax = wcs_axes(ctype)

    assert tiny.maps.plot(name, ax=ax) is ax

    image = ax.images[0].get_array()
    y, x = np.indices(image.shape)
    place = ax.wcs.pixel_to_world(x, y).transform_to(tiny.maps.frame).spherical
    ipix = healpy.ang2pix(2, place.lon.deg, place.lat.deg, lonlat=True)
    np.testing.assert_array_equal(image, tiny.maps.to_healpy(name)[ipix])


def test_localisation_on_axes_of_astropy_shows_density_and_regions(tiny):
    ax = wcs_axes(("RA---TAN", "DEC--TAN"))
    assert tiny.plot(ax=ax) is ax
    assert ax.images[0].get_array().shape == (30, 40)


def test_localisation_on_plain_axes_is_refused(tiny):
    with pytest.raises(TypeError, match="axes of astropy"):
        tiny.plot(ax=Figure().add_subplot())


def test_maps_on_plain_axes_become_a_map_of_the_sky(tiny):
    ax = Figure().add_subplot()
    assert tiny.maps.plot(ax=ax) is ax
    assert ax.get_xlim() == (-2, 2)


def test_figures_are_made_without_axes_and_change_no_settings(tiny):
    before = dict(mpl.rcParams)
    assert len(tiny.maps.plot().figure.axes) == 2
    assert len(tiny.plot().figure.axes) == 2
    assert dict(mpl.rcParams) == before
