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


def probability(value: float | None) -> str:
    """Probability that may be below all that a computer can write.

    Examples
    --------
    >>> probability(0.00124), probability(0.0)
    ('0.0012', 'below 10⁻³⁰⁰')
    """
    return f"below 10{_raised(-300)}" if value == 0 else number(value, 2)


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


def degrees(value: float | None, decimals: int = 2) -> str:
    """Angle in degrees.

    Examples
    --------
    >>> degrees(-5.7877)
    '−5.79°'
    """
    return "\N{EN DASH}" if value is None else f"{value:.{decimals}f}°".replace("-", MINUS)


def area(value: float) -> str:
    """Area in the unit that suits it.

    Examples
    --------
    >>> area(148.2), area(0.05), area(1e-6)
    ('148 deg²', '180 arcmin²', '13.0 arcsec²')
    """
    for unit, factor in (("deg²", 1.0), ("arcmin²", 3600.0)):
        if value * factor >= 1:
            return f"{number(value * factor)} {unit}"
    return f"{number(value * 3600.0**2)} arcsec²"


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
