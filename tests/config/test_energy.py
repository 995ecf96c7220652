import pytest
from pydantic import ValidationError

from skyquilt.config.energy import EnergySelection


@pytest.mark.parametrize("channels", [(2, 2), (3, 2)])
def test_channels_that_are_empty_are_refused(channels):
    with pytest.raises(ValidationError, match=r"give \[first, last \+ 1\] with first <= last"):
        EnergySelection(channels=channels)


@pytest.mark.parametrize("channels", [(-1, 2), (0.5, 2), (1,), (1, 2, 3)])
def test_channels_that_are_no_two_numbers_are_refused(channels):
    with pytest.raises(ValidationError, match="channels"):
        EnergySelection(channels=channels)


def test_channels_and_range_together_are_refused():
    with pytest.raises(ValidationError, match="give `channels` or `range`, not both"):
        EnergySelection(channels=(0, 1), range=("1 keV", "2 keV"))


@pytest.mark.parametrize("energies", [("1 keV", "2 cm"), (100, 200), ("1 keV",)])
def test_range_that_is_no_two_energies_is_refused(energies):
    with pytest.raises(ValidationError, match="range"):
        EnergySelection(range=energies)


def test_default_is_all_channels_fitted_jointly():
    selection = EnergySelection()

    assert (selection.channels, selection.range, selection.sum_channels) == (None, None, False)
