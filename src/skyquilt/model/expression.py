"""Expressions of named quantities: parsed, checked against a list, compiled once.

Only what is analytic is allowed, so that a derivative is one evaluation with a complex step.
"""

import ast
import math
from collections.abc import Callable
from typing import NamedTuple, cast

import numpy as np

MAX_LENGTH = 1000
"""Most letters of an expression."""

MAX_DEPTH = 40
"""Deepest nesting of an expression, in brackets and in operations."""

FUNCTIONS: dict[str, Callable[..., np.ndarray]] = {
    "exp": np.exp,
    "log": np.log,
    "sqrt": np.sqrt,
    "sin": np.sin,
    "cos": np.cos,
    "tan": np.tan,
}
"""Functions that an expression may call, each of one argument."""

_OPERATORS = (ast.Add, ast.Sub, ast.Mult, ast.Div, ast.Pow, ast.USub, ast.UAdd)
_MAX_SHOWN = 60
"""Most letters of an expression in a message."""

_ALLOWED = (
    "allowed are numbers, names of quantities, t, + - * / ** and brackets, and "
    f"{', '.join(FUNCTIONS)}"
)


class Compiled(NamedTuple):
    """An expression that can be evaluated.

    Attributes
    ----------
    function : callable
        Takes the values of `names` in order, numbers or arrays, real or complex.
    names : tuple of str
        Quantities that it reads, in the order of their first use.
    """

    function: Callable[..., np.ndarray]
    names: tuple[str, ...]


def compile_expression(text: str) -> Compiled:
    """Compile an expression.

    Parameters
    ----------
    text : str
        Arithmetic of names (``burst.flux``), numbers and functions.

    Returns
    -------
    Compiled
        Function and names.

    Raises
    ------
    ValueError
        If it is no expression, or has anything but what is allowed.

    Examples
    --------
    >>> function, names = compile_expression("a + b * log(burst.flux)")
    >>> names, float(function(1.0, 2.0, 1.0))
    (('a', 'b', 'burst.flux'), 1.0)
    """
    if len(text) > MAX_LENGTH:
        raise ValueError(f"expression of {len(text)} letters: at most {MAX_LENGTH} are allowed")
    _check_brackets(text)
    try:
        tree = ast.parse(text.strip(), mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise ValueError(f"{_shown(text)} is no expression: {_ALLOWED}") from error
    translator = _Translator(text)
    body = translator.translate(tree.body, 0)
    arguments = [ast.arg(arg=argument) for argument in translator.arguments.values()]
    function = ast.Expression(
        ast.Lambda(
            args=ast.arguments(
                posonlyargs=[], args=arguments, kwonlyargs=[], kw_defaults=[], defaults=[]
            ),
            body=body,
        )
    )
    code = compile(ast.fix_missing_locations(function), "<expression>", "eval")
    # Every node of the tree was made by the translator: no name but arguments and FUNCTIONS.
    return Compiled(
        eval(code, {"__builtins__": {}, **FUNCTIONS}),
        tuple(translator.arguments),
    )


def _shown(text: str) -> str:
    """An expression in a message, cut where it is long."""
    return repr(text) if len(text) <= _MAX_SHOWN else f"{text[:_MAX_SHOWN]!r}..."


def _check_brackets(text: str) -> None:
    depth = 0
    for letter in text:
        depth += (letter == "(") - (letter == ")")
        if depth > MAX_DEPTH:
            raise _too_deep(text)


def _too_deep(text: str) -> ValueError:
    return ValueError(f"{_shown(text)} is nested deeper than {MAX_DEPTH}: simplify it")


class _Translator:
    """Copies the allowed nodes of a tree, quantities replaced by arguments of a function.

    What has no quantity is worked out at once, so that no number overflows later.
    """

    def __init__(self, text: str) -> None:
        self._text = text
        self.arguments: dict[str, str] = {}

    def translate(self, node: ast.expr, depth: int) -> ast.expr:
        if depth > MAX_DEPTH:
            raise _too_deep(self._text)
        match node:
            case ast.Constant():
                return self._number(node)
            case ast.Name() | ast.Attribute():
                return self._quantity(self._dotted(node))
            case ast.UnaryOp() if isinstance(node.op, _OPERATORS):
                inner = self.translate(node.operand, depth + 1)
                return self._worked_out(ast.UnaryOp(node.op, inner), inner)
            case ast.BinOp() if isinstance(node.op, _OPERATORS):
                left = self.translate(node.left, depth + 1)
                right = self.translate(node.right, depth + 1)
                return self._worked_out(ast.BinOp(left, node.op, right), left, right)
            case ast.Call(func=ast.Name(id=name), args=[argument], keywords=[]) if (
                name in FUNCTIONS
            ):
                inner = self.translate(argument, depth + 1)
                call = ast.Call(func=ast.Name(name, ast.Load()), args=[inner], keywords=[])
                return self._worked_out(call, inner)
        raise self._refusal(node)

    def _number(self, node: ast.Constant) -> ast.expr:
        if type(node.value) not in (int, float):
            raise self._refusal(node)
        try:
            value = float(cast("float", node.value))
        except OverflowError:
            value = math.inf
        if not math.isfinite(value):
            raise ValueError(f"{_shown(self._text)}: a number in it is not finite")
        return ast.Constant(value)

    def _worked_out(self, node: ast.expr, *parts: ast.expr) -> ast.expr:
        """A node, or its value where all of its parts are numbers."""
        if not all(isinstance(part, ast.Constant) for part in parts):
            return node
        code = compile(ast.fix_missing_locations(ast.Expression(node)), "<expression>", "eval")
        try:
            with np.errstate(all="ignore"):
                value = float(eval(code, {"__builtins__": {}, **FUNCTIONS}))
        except (ArithmeticError, TypeError):  # TypeError: a root of a negative number
            value = math.nan
        if not math.isfinite(value):
            raise ValueError(f"{_shown(self._text)}: a part of numbers only is not finite")
        return ast.Constant(value)

    def _dotted(self, node: ast.expr) -> str:
        """Name of a quantity such as ``burst.flux``."""
        if isinstance(node, ast.Attribute):
            return f"{self._dotted(node.value)}.{node.attr}"
        if isinstance(node, ast.Name):
            return node.id
        raise self._refusal(node)

    def _quantity(self, name: str) -> ast.expr:
        if "__" in name or name in FUNCTIONS:
            raise ValueError(f"{_shown(self._text)}: {name} is no quantity: {_ALLOWED}")
        argument = self.arguments.setdefault(name, f"x{len(self.arguments)}")
        return ast.Name(argument, ast.Load())

    def _refusal(self, node: ast.expr) -> ValueError:
        part = ast.get_source_segment(self._text.strip(), node) or type(node).__name__
        return ValueError(f"{_shown(self._text)}: {_shown(part)} is not understood: {_ALLOWED}")
