"""Types of arguments that are arrays."""

import ctypes
from collections.abc import Mapping
from typing import Any, ClassVar, Self

import numpy as np


class ArrayType:
    """Argument type: address of a contiguous array (in a third of the time of ndpointer)."""

    def __init__(self, dtype: type):
        self._dtype = np.dtype(dtype)

    def from_param(self, array: np.ndarray) -> ctypes.c_void_p:
        """Address of an array.

        Raises
        ------
        TypeError
            If it has another type, or is not contiguous.
        """
        if array.dtype != self._dtype or not array.flags.c_contiguous:
            raise TypeError(f"{array.dtype} array: a contiguous one of {self._dtype} is needed.")
        return ctypes.c_void_p(array.ctypes.data)


INT64, FLOAT64, FLOAT32, INT32, UINT8, UINT16 = map(
    ArrayType, (np.int64, np.float64, np.float32, np.int32, np.uint8, np.uint16)
)


class Arguments(ctypes.Structure):
    """Arguments that go together: numbers, and addresses of arrays."""

    arrays: ClassVar[Mapping[str, ArrayType]] = {}
    """Fields that are arrays."""

    @classmethod
    def of(cls, **values: Any) -> Self:
        """Structure of numbers and arrays, which it keeps alive.

        Raises
        ------
        TypeError
            If an array has another type or is not contiguous, or a field is missing.
        """
        missing = {field[0] for field in cls._fields_} - values.keys()
        if missing:
            raise TypeError(f"{cls.__name__}: {', '.join(sorted(missing))} missing.")
        fields = {
            name: cls.arrays[name].from_param(value) if name in cls.arrays else value
            for name, value in values.items()
        }
        made = cls(**fields)
        made.kept = values
        return made
