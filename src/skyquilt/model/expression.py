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
"""Deepest nesting of an expression."""

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
    try:
        tree = ast.parse(text.strip(), mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise ValueError(f"{text!r} is no expression: {_ALLOWED}") from error
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


class _Translator:
    """Copies the allowed nodes of a tree, quantities replaced by arguments of a function."""

    def __init__(self, text: str) -> None:
        self._text = text
        self.arguments: dict[str, str] = {}

    def translate(self, node: ast.expr, depth: int) -> ast.expr:
        if depth > MAX_DEPTH:
            raise ValueError(f"{self._text!r} is nested deeper than {MAX_DEPTH}: simplify it")
        match node:
            case ast.Constant():
                return self._number(node)
            case ast.Name() | ast.Attribute():
                return self._quantity(self._dotted(node))
            case ast.UnaryOp() if isinstance(node.op, _OPERATORS):
                return ast.UnaryOp(node.op, self.translate(node.operand, depth + 1))
            case ast.BinOp() if isinstance(node.op, _OPERATORS):
                left = self.translate(node.left, depth + 1)
                return ast.BinOp(left, node.op, self.translate(node.right, depth + 1))
            case ast.Call(func=ast.Name(id=name), args=[argument], keywords=[]) if (
                name in FUNCTIONS
            ):
                inner = self.translate(argument, depth + 1)
                return ast.Call(func=ast.Name(name, ast.Load()), args=[inner], keywords=[])
        raise self._refusal(node)

    def _number(self, node: ast.Constant) -> ast.expr:
        if type(node.value) not in (int, float):
            raise self._refusal(node)
        try:
            value = float(cast("float", node.value))
        except OverflowError:
            value = math.inf
        if not math.isfinite(value):
            raise ValueError(f"{self._text!r}: a number in it is not finite")
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
            raise ValueError(f"{self._text!r}: {name} is no quantity: {_ALLOWED}")
        argument = self.arguments.setdefault(name, f"x{len(self.arguments)}")
        return ast.Name(argument, ast.Load())

    def _refusal(self, node: ast.expr) -> ValueError:
        part = ast.get_source_segment(self._text.strip(), node) or type(node).__name__
        return ValueError(f"{self._text!r}: {part!r} is not understood: {_ALLOWED}")
