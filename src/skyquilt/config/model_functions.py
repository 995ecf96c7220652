"""Spectra, shapes and light curves of a model, whose numbers are parameters of it.

Those of other packages derive from the same classes (`skyquilt.config.other_models`).
"""

from typing import Annotated, Any, ClassVar, Literal

from pydantic import Discriminator, Field, Tag
from typing_extensions import TypeAliasType

from skyquilt.config.base import Quantity, Section
from skyquilt.config.model_parameter import InUnit, Parameter, check_unit
from skyquilt.config.other_models import OrOther

Pure = Annotated[Parameter, InUnit("")]
Energy = Annotated[Parameter, InUnit("keV", is_positive=True)]
Norm = Annotated[Parameter, InUnit("cm-2 s-1 keV-1")]
Time = Annotated[Parameter, InUnit("s")]
Length = Annotated[Parameter, InUnit("s", is_positive=True)]
Angle = Annotated[Parameter, InUnit("deg")]
Pivot = Annotated[str, Quantity("keV", is_positive=True)]


class ModelFunction(Section):
    """A function with parameters; `model`, or `light_curve`, is its name."""

    _named_by: ClassVar[str] = "model"

    @property
    def name(self) -> str:
        """Its name."""
        return getattr(self, self._named_by)

    def parameters(self) -> dict[str, tuple[Any, str]]:
        """Parameters by name, each with its unit."""
        return {key: (getattr(self, key), unit) for key, unit in self.units().items()}

    @classmethod
    def units(cls) -> dict[str, str]:
        """Units of those parameters that have one of their own, "" for pure numbers."""
        found = {}
        for key, field in cls.model_fields.items():
            units = [one.unit for one in field.metadata if isinstance(one, InUnit | Quantity)]
            if units:
                found[key] = units[0]
        return found

    @classmethod
    def positive(cls) -> frozenset[str]:
        """Parameters that only have a meaning above zero."""
        return frozenset(
            key
            for key, field in cls.model_fields.items()
            if any(isinstance(one, InUnit) and one.is_positive for one in field.metadata)
        )


class SpectrumFunction(ModelFunction):
    """A photon flux density."""


class ShapeFunction(ModelFunction):
    """A brightness on the sky."""


class FreePowerLaw(SpectrumFunction):
    """``dN/dE = norm (E / pivot)^index``."""

    model: Literal["power_law"]
    norm: Norm
    """Photon flux density at the pivot energy."""
    pivot: Pivot
    """Energy at which `norm` is given."""
    index: Pure
    """Spectral index, negative for a falling spectrum."""


class FreeCutoffPowerLaw(SpectrumFunction):
    """``dN/dE = norm (E / pivot)^index exp(-E / cutoff)``."""

    model: Literal["cutoff_power_law"]
    norm: Norm
    """Photon flux density at the pivot energy, but for the factor exp(-pivot / cutoff)."""
    pivot: Pivot
    """Energy at which `norm` is given."""
    index: Pure
    """Spectral index far below the cut-off, negative for a falling spectrum."""
    cutoff: Energy
    """E-folding energy of the cut-off."""


class FreeBand(SpectrumFunction):
    """Gamma-ray burst spectrum of Band et al. (1993), as `spectrum` has it."""

    model: Literal["band"]
    norm: Norm
    """Normalisation of the low-energy power law at the pivot energy."""
    pivot: Pivot = "100 keV"
    """Energy at which `norm` is given."""
    alpha: Pure
    """Low-energy index, above -2."""
    beta: Pure
    """High-energy index, below `alpha`."""
    peak: Energy
    """Energy of the maximum of E^2 dN/dE (if `beta` is below -2)."""


class FreeBrokenPowerLaw(SpectrumFunction):
    """``norm (E / break_energy)^index_low`` below the break, with `index_high` above."""

    model: Literal["broken_power_law"]
    norm: Norm
    """Photon flux density at the break energy."""
    break_energy: Energy
    """Energy at which the index changes."""
    index_low: Pure
    """Spectral index below the break."""
    index_high: Pure
    """Spectral index above the break."""


class FreeLogParabola(SpectrumFunction):
    """``dN/dE = norm (E / pivot)^(index - curvature ln(E / pivot))``, natural logarithm."""

    model: Literal["log_parabola"]
    norm: Norm
    """Photon flux density at the pivot energy."""
    pivot: Pivot
    """Energy at which `norm` and `index` are given."""
    index: Pure
    """Spectral index at the pivot energy, negative for a falling spectrum."""
    curvature: Pure
    """Curvature for the natural logarithm; positive: steeper at higher energies."""


class FreePoint(ShapeFunction):
    """A source without extent."""

    model: Literal["point"]


class FreeDisk(ShapeFunction):
    """Uniform brightness up to a radius."""

    model: Literal["disk"]
    radius: Angle
    """Radius, from 0 to 30 deg."""


class FreeGaussian(ShapeFunction):
    """Brightness that falls as a Gaussian of the angle from the centre."""

    model: Literal["gaussian"]
    sigma: Angle
    """Standard deviation along any line through the centre."""


class FreeEllipticalGaussian(ShapeFunction):
    """Gaussian with a long and a short axis."""

    model: Literal["elliptical_gaussian"]
    sigma: Angle
    """Standard deviation along the long axis."""
    ratio: Pure
    """Standard deviation along the short axis over that along the long one."""
    angle: Angle
    """Position angle of the long axis, from the north of ICRS to the east."""


class CurveFunction(ModelFunction):
    """A function of time; parameters without a unit of their own have that of the quantity."""

    _named_by: ClassVar[str] = "light_curve"


class ConstantCurve(CurveFunction):
    """The same at all times."""

    light_curve: Literal["constant"]
    level: Parameter
    """The level."""


class GaussianCurve(CurveFunction):
    """Symmetric pulse."""

    light_curve: Literal["gaussian"]
    peak: Parameter
    """Its height."""
    t0: Time
    """Time of the maximum, since `epoch`."""
    sigma: Length
    """Standard deviation."""


class ExponentialCurve(CurveFunction):
    """Sudden rise, then an exponential decay."""

    light_curve: Literal["exponential"]
    peak: Parameter
    """Its height."""
    t0: Time
    """Time of the rise, since `epoch`."""
    decay: Length
    """Time in which it decays by a factor e."""


class NorrisCurve(CurveFunction):
    """Fast rise, exponential decay: the pulse of a burst of Norris et al. (2005)."""

    light_curve: Literal["norris"]
    peak: Parameter
    """Its height."""
    t0: Time
    """Time of the onset, since `epoch`."""
    rise: Length
    """Constant of the rise."""
    decay: Length
    """Constant of the decay."""


class BrokenPowerLawCurve(CurveFunction):
    """Power of the time since `epoch`, with another index after a break."""

    light_curve: Literal["broken_power_law"]
    level: Parameter
    """Height at the break."""
    t_break: Length
    """Time of the break, since `epoch`."""
    index_before: Pure
    """Index before."""
    index_after: Pure
    """Index after."""


def _of(settings: Any, key: str) -> Any:
    return settings.get(key) if isinstance(settings, dict) else getattr(settings, key, None)


FreeSpectrum = Annotated[
    FreePowerLaw | FreeCutoffPowerLaw | FreeBand | FreeBrokenPowerLaw | FreeLogParabola,
    Field(discriminator="model"),
    OrOther("model", SpectrumFunction),
]
"""Spectrum of a source of a model."""

FreeShape = Annotated[
    FreePoint | FreeDisk | FreeGaussian | FreeEllipticalGaussian,
    Field(discriminator="model"),
    OrOther("model", ShapeFunction),
]
"""Shape of a source of a model."""

Curve = Annotated[
    ConstantCurve | GaussianCurve | ExponentialCurve | NorrisCurve | BrokenPowerLawCurve,
    Field(discriminator="light_curve"),
    OrOther("light_curve", CurveFunction),
]
"""Function of time that a parameter follows."""


def _kind(settings: Any) -> str:
    return "curve" if _of(settings, "light_curve") is not None else "parameter"


AnyParameter = TypeAliasType(
    "AnyParameter",
    Annotated[
        Annotated[Parameter, Tag("parameter")] | Annotated[Curve, Tag("curve")],
        Discriminator(_kind),
    ],
)
"""A parameter, or `{light_curve: ...}` with the parameters of its function."""


class InUnitOrCurve(InUnit):
    """Of the type of a parameter that may be a light curve."""

    def _check(self, parameter: Any) -> Any:
        if isinstance(parameter, ModelFunction):
            for name, (inner, unit) in curve_parameters(parameter, self.unit).items():
                try:
                    check_unit(inner, unit)
                except ValueError as error:
                    raise ValueError(f"{name}: {error}") from error
            return parameter
        return super()._check(parameter)


def curve_parameters(curve: ModelFunction, unit: str) -> dict[str, tuple[Any, str]]:
    """Parameters of a light curve of a quantity in a unit; its heights have that unit."""
    known = curve.parameters()
    names = [key for key in type(curve).model_fields if key != "light_curve"]
    return {key: known.get(key, (getattr(curve, key), unit)) for key in names}
