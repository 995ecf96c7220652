"""Numbers as people read them."""

import math
from typing import Any

MINUS = "\N{MINUS SIGN}"


def number(value: float | None, digits: int = 3) -> str:
    """Number with so many significant digits.

    Examples
    --------
    >>> number(0.034567), number(-12345.6), number(None), number(2.0e-7)
    ('0.0346', '−12300', '–', '2.00 × 10⁻⁷')
    """
    if value is None or not math.isfinite(value):
        return "\N{EN DASH}"
    if value == 0:
        return "0"
    power = math.floor(math.log10(abs(value)))
    if -4 <= power < 7:
        rounded = round(value, digits - 1 - power)
        return f"{rounded:.{max(0, digits - 1 - power)}f}".replace("-", MINUS)
    return _times_power(value / 10**power, power, digits)


FLUX_UNIT = "ph cm⁻² s⁻¹"
ENERGY_FLUX_UNIT = "erg cm⁻² s⁻¹"
SIMULATED = 1e-6
"""Smallest p-value that an extrapolation is trusted for."""


def extrapolated(value: float) -> str:
    """Probability that comes from an extrapolation beyond what was simulated.

    Examples
    --------
    >>> extrapolated(0.00124), extrapolated(2e-9)
    ('0.0012 (extrapolated)', '< 10⁻⁶ (extrapolated)')
    """
    shown = f"< 10{_raised(-6)}" if value < SIMULATED else number(value, 2)
    return f"{shown} (extrapolated)"


def n_of(n: int, noun: str) -> str:
    """A number of things.

    Examples
    --------
    >>> n_of(1, "source"), n_of(2, "source")
    ('1 source', '2 sources')
    """
    return f"{n} {noun}{'' if n == 1 else 's'}"


def with_error(value: float | None, error: float | None) -> str:
    """Value and error, both to the second significant digit of the error.

    Examples
    --------
    >>> with_error(0.0348123, 0.00079), with_error(1234.0, 56.0)
    ('0.03481 ± 0.00079', '1234 ± 56')
    """
    if value is None or error is None or not (math.isfinite(error) and error > 0):
        return number(value)
    power = math.floor(math.log10(error))
    if power < -5:
        shift = math.floor(math.log10(abs(value))) if value else power
        inner = with_error(value / 10.0**shift, error / 10.0**shift)
        return f"({inner}) × 10{_raised(shift)}"
    decimals = max(0, 1 - power)
    return f"{value:.{decimals}f} ± {error:.{decimals}f}".replace("-", MINUS)


def with_errors(value: float, low: float | None, high: float | None) -> str:
    """Value with its errors down and up, to the second significant digit of the smaller one.

    Examples
    --------
    >>> with_errors(0.0348, 0.0021, 0.0024), with_errors(3.48e-7, 2.1e-8, 2.4e-8)
    ('0.0348 −0.0021 +0.0024', '(3.48 −0.21 +0.24) × 10⁻⁷')
    >>> with_errors(0.0348, None, 0.002)
    '0.0348'
    """
    errors = [error for error in (low, high) if error and math.isfinite(error)]
    if len(errors) < 2:
        return number(value)
    power = math.floor(math.log10(min(errors)))
    if power < -5:
        shift = math.floor(math.log10(abs(value))) if value else power
        inner = with_errors(*(each / 10.0**shift for each in (value, *errors)))
        return f"({inner}) × 10{_raised(shift)}"
    decimals = max(0, 1 - power)
    text = f"{value:.{decimals}f} -{errors[0]:.{decimals}f} +{errors[1]:.{decimals}f}"
    return text.replace("-", MINUS)


def degrees(value: float | None, decimals: int = 2) -> str:
    """Angle in degrees.

    Examples
    --------
    >>> degrees(-5.7877)
    '−5.79°'
    """
    return "\N{EN DASH}" if value is None else f"{value:.{decimals}f}°".replace("-", MINUS)


def decimals_of(radius: float) -> int:
    """Decimals of a position in degrees that is uncertain by a radius [deg], to a hundredth of it.

    Examples
    --------
    >>> decimals_of(9.0), decimals_of(0.02), decimals_of(0.0)
    (2, 4, 6)
    """
    if not radius > 0:
        return 6
    return min(6, max(1, 2 - math.floor(math.log10(radius))))


def area(value: float) -> str:
    """Area in square degrees, whatever its size, so that areas of a page compare.

    Examples
    --------
    >>> area(148.2), area(0.05), area(1e-6)
    ('148 deg²', '0.0500 deg²', '1.00 × 10⁻⁶ deg²')
    """
    return f"{number(value)} deg²"


def percent(level: float) -> str:
    """Level as a percentage.

    Examples
    --------
    >>> percent(0.9), percent(0.683)
    ('90 %', '68.3 %')
    """
    return f"{100 * level:g} %"


def yes_no(value: Any) -> str:
    """Truth value as a word; a dash for None."""
    return "\N{EN DASH}" if value is None else "yes" if value else "no"


def _times_power(mantissa: float, power: int, digits: int) -> str:
    return f"{mantissa:.{digits - 1}f} × 10{_raised(power)}".replace("-", MINUS)


def _raised(power: int) -> str:
    return str(power).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))
