"""Make arguments.py of interface.h: `python src/skyquilt/native/generate.py`.

It needs nothing but Python, so that it runs before anything is compiled.
"""

import re
from pathlib import Path

FOLDER = Path(__file__).parent

_ARRAYS = {
    "int64_t": "INT64",
    "double": "FLOAT64",
    "float": "FLOAT32",
    "int32_t": "INT32",
    "uint8_t": "UINT8",
    "uint16_t": "UINT16",
}
_NUMBERS = {"int64_t": "ctypes.c_int64", "double": "ctypes.c_double"}

_MODULE = '''"""Functions of the kernels: made of interface.h by generate.py, not to be edited."""

import ctypes
from collections.abc import Mapping
from typing import Any, ClassVar

from skyquilt.native.arrays import FLOAT32, FLOAT64, INT32, INT64, UINT8, UINT16, Arguments

INTERFACE = {number}
"""Number of the set of functions and arguments."""

{structures}
ARGUMENTS: Mapping[str, Mapping[str, Any]] = {{
{functions}}}
"""Types of the arguments of each function, by their names."""

WITH_RESULT = frozenset(
    {{
{results}    }}
)
"""Functions that return a number; the others return nothing."""
'''
_STRUCTURE = '''
class {name}(Arguments):
    """`{c_name}` of interface.h."""

    _fields_ = (
{fields}    )
    arrays: ClassVar = {arrays}

'''


def generate(header: str) -> str:
    """Text of arguments.py.

    Parameters
    ----------
    header : str
        Text of interface.h.

    Raises
    ------
    ValueError
        If a type is not known.
    """
    code = re.sub(r"/\*.*?\*/", "", header, flags=re.DOTALL)
    structures = re.findall(r"typedef struct \{(.*?)\} (\w+);", code, re.DOTALL)
    functions = re.findall(r"^(void|int64_t) (\w+)\(([^)]*)\);", code, re.DOTALL | re.MULTILINE)
    classes = {name: _class_name(name) for _, name in structures}
    return _MODULE.format(
        number=re.findall(r"#define SKYQUILT_INTERFACE (\d+)", code)[0],
        structures="".join(_structure(name, fields) for fields, name in structures),
        functions="".join(_function(name, text, classes) for _, name, text in functions),
        results="".join(f'        "{name}",\n' for kind, name, _ in functions if kind != "void"),
    )


def _class_name(name: str) -> str:
    return "".join(word.capitalize() for word in name.split("_"))


def _structure(name: str, text: str) -> str:
    """Class of a structure of numbers and arrays."""
    fields = arrays = ""
    for declaration in filter(None, map(str.strip, text.split(";"))):
        kind, rest = declaration.removeprefix("const ").split(maxsplit=1)
        for field in map(str.strip, rest.split(",")):
            own = field.lstrip("*")
            is_array = own != field
            fields += f'        ("{own}", {"ctypes.c_void_p" if is_array else _number(kind)}),\n'
            arrays += f'        "{own}": {_array(kind, declaration)},\n' if is_array else ""
    arrays = f"{{\n{arrays}    }}" if arrays else "{}"
    return _STRUCTURE.format(name=_class_name(name), c_name=name, fields=fields, arrays=arrays)


def _function(name: str, text: str, classes: dict[str, str]) -> str:
    """Entry of a function."""
    arguments = "" if text.strip() == "void" else text
    lines = "".join(_argument(one, classes) for one in filter(None, arguments.split(",")))
    return f'    "{name}": {{\n{lines}    }},\n' if lines else f'    "{name}": {{}},\n'


def _argument(text: str, classes: dict[str, str]) -> str:
    """Name and type of an argument."""
    kind, *stars, name = text.replace("*", " * ").replace("const ", "").split()
    if not stars:
        return f'        "{name}": {_number(kind)},\n'
    if kind in classes:
        return f'        "{name}": ctypes.POINTER({classes[kind]}),\n'
    return f'        "{name}": {_array(kind, text)},\n'


def _array(kind: str, text: str) -> str:
    if kind not in _ARRAYS:
        raise ValueError(f"{text.strip()}: allowed are arrays of {', '.join(_ARRAYS)}.")
    return _ARRAYS[kind]


def _number(kind: str) -> str:
    if kind not in _NUMBERS:
        raise ValueError(f"{kind}: allowed are numbers of {', '.join(_NUMBERS)}.")
    return _NUMBERS[kind]


if __name__ == "__main__":
    text = generate((FOLDER / "interface.h").read_text())
    (FOLDER / "arguments.py").write_text(text)
