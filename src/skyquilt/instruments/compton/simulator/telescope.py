"""The telescope: effective area, scattering, angular and energy resolution.

The numbers are those of a germanium Compton telescope in low Earth orbit, near the published
requirements of COSI (Tomsick et al. 2023, PoS ICRC2023, 745); no detector is simulated.
"""

import numpy as np

ELECTRON_KEV = 510.99895  # rest energy of the electron, CODATA 2018
_PEAK_AREA_CM2 = 20.0  # on the axis, at the best energy
_PEAK_ENERGY_KEV = 600.0
_AREA_WIDTH = 1.3  # of the area over ln E
_FLOOR = 0.01  # of the area: photons that pass the shield from behind
_EDGE = 0.1  # softness of the horizon of the field of view, in cos(zenith angle)
_ARM_FWHM_DEG = 4.1  # at 511 keV; 2.1 deg at 1.8 MeV, which fixes the power
_ARM_REFERENCE_KEV = 511.0
_ARM_POWER = -0.5
_ARM_WINGS = 0.3  # part of the profile that is a Lorentzian, for Doppler broadening
_PEAK_FRACTION = 0.7  # of the events deposit all their energy
_PEAK_FWHM = 0.02  # relative width of the photopeak
_SAMPLES = 33  # energies in each bin of true energy


def effective_area(energy: np.ndarray) -> np.ndarray:
    """Effective area on the axis.

    Parameters
    ----------
    energy : ndarray of float64
        Photon energy [keV].

    Returns
    -------
    ndarray of float64
        Area [cm2], a log-normal curve over energy.

    Examples
    --------
    >>> float(effective_area(np.array(600.0)))
    20.0
    """
    distance = np.log(energy / _PEAK_ENERGY_KEV) / _AREA_WIDTH
    return _PEAK_AREA_CM2 * np.exp(-0.5 * distance**2)


def zenith_factor(cos_zenith: np.ndarray) -> np.ndarray:
    """Effective area relative to the axis: near cos(zenith angle), smooth, small from behind.

    Parameters
    ----------
    cos_zenith : ndarray of float64
        Cosine of the angle between photon direction and telescope axis.

    Returns
    -------
    ndarray of float64
        Factor, 1 on the axis and 0.01 from behind.

    Examples
    --------
    >>> zenith_factor(np.array([1.0, 0.5, 0.0, -1.0])).round(3)
    array([1.   , 0.506, 0.079, 0.01 ])
    """
    height = np.log(1 + np.exp(cos_zenith / _EDGE)) / np.log(1 + np.exp(1 / _EDGE))
    return _FLOOR + (1 - _FLOOR) * height


def klein_nishina(energy: np.ndarray | float, angle: np.ndarray) -> np.ndarray:
    """Differential cross-section of Compton scattering on a free electron.

    Parameters
    ----------
    energy : ndarray of float64
        Photon energy [keV].
    angle : ndarray of float64
        Scattering angle [rad].

    Returns
    -------
    ndarray of float64
        Cross-section per solid angle [classical electron radius squared / sr].

    References
    ----------
    Klein and Nishina 1929, Z. Phys. 52, 853.

    Examples
    --------
    >>> float(klein_nishina(100.0, 0.0))  # the Thomson limit (1 + cos^2) / 2
    1.0
    """
    ratio = 1 / (1 + energy / ELECTRON_KEV * (1 - np.cos(angle)))
    return 0.5 * ratio**2 * (ratio + 1 / ratio - np.sin(angle) ** 2)


def arm_fwhm(energy: np.ndarray | float) -> np.ndarray:
    """Full width at half maximum of the angular resolution measure (ARM) [deg].

    Parameters
    ----------
    energy : ndarray of float64
        Photon energy [keV].

    Examples
    --------
    >>> round(float(arm_fwhm(1809.0)), 1)
    2.2
    """
    return _ARM_FWHM_DEG * (energy / _ARM_REFERENCE_KEV) ** _ARM_POWER


def arm_profile(offset: np.ndarray, fwhm: np.ndarray | float) -> np.ndarray:
    """Profile of the ARM: a Gaussian with the wings of a Lorentzian of the same width.

    Parameters
    ----------
    offset : ndarray of float64
        Angle from the source minus Compton angle [deg].
    fwhm : ndarray of float64
        Full width at half maximum [deg].

    Returns
    -------
    ndarray of float64
        Profile, 1 at the centre, 1/2 at fwhm / 2.
    """
    square = (2 * offset / fwhm) ** 2
    return _ARM_WINGS / (1 + square) + (1 - _ARM_WINGS) * np.exp2(-square)


def bin_energies(edges: np.ndarray, n_samples: int = _SAMPLES) -> np.ndarray:
    """Energies at the middles of equal logarithmic parts of each bin, shape (n_bin, n_samples)."""
    part = (np.arange(n_samples) + 0.5) / n_samples
    return edges[:-1, None] * (edges[1:] / edges[:-1])[:, None] ** part


def energy_redistribution(edges: np.ndarray) -> np.ndarray:
    """Probability of each measured-energy bin for each bin of true energy.

    A Gaussian photopeak, and a flat tail from the lowest edge to the true energy; true energies
    are spread evenly in the logarithm over their bin.

    Parameters
    ----------
    edges : ndarray of float64, shape (n + 1,)
        Edges of both axes [keV].

    Returns
    -------
    ndarray of float64, shape (n_ei, n_em)
        Probabilities; each row adds up to 1.
    """
    from scipy.special import ndtr

    energy = bin_energies(edges)[:, :, None]
    sigma = _PEAK_FWHM * energy / np.sqrt(8 * np.log(2))
    peak = np.diff(ndtr((edges - energy) / sigma), axis=-1)
    tail = np.diff(np.clip(edges, None, energy), axis=-1) / (energy - edges[0])
    matrix = np.mean(_PEAK_FRACTION * peak + (1 - _PEAK_FRACTION) * tail, axis=1)
    return matrix / matrix.sum(axis=1, keepdims=True)


def areas(edges: np.ndarray) -> np.ndarray:
    """Mean on-axis effective area of each bin of true energy [cm2], shape (n,)."""
    return effective_area(bin_energies(edges)).mean(axis=1)
