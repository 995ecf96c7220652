import numpy as np
import pytest

from skyquilt.model.expression import MAX_DEPTH, MAX_LENGTH, compile_expression

STEP = 1e-30


@pytest.mark.parametrize(
    ("text", "slope"),
    [
        ("3 * x - 2", lambda x: 3.0),
        ("x**3 / 2", lambda x: 1.5 * x**2),
        ("exp(-x / 2)", lambda x: -0.5 * np.exp(-x / 2)),
        ("log(x)", lambda x: 1 / x),
        ("sqrt(x)", lambda x: 0.5 / np.sqrt(x)),
        ("sin(x) * cos(x)", lambda x: np.cos(2 * x)),
        ("tan(x)", lambda x: 1 / np.cos(x) ** 2),
        ("2**x", lambda x: np.log(2) * 2**x),
        ("-(+x)", lambda x: -1.0),
    ],
)
def test_complex_step_gives_closed_derivative(text, slope):
    x = np.array([0.3, 1.0, 2.4])
    found = np.imag(compile_expression(text).function(x + 1j * STEP)) / STEP
    # rounding of a few operations
    np.testing.assert_allclose(found, slope(x), rtol=1e-12)


def test_numbers_are_worked_out_at_once():
    assert compile_expression("2 * (3 + log(1)) - -1").function() == 7.0


def test_long_expression_is_cut_in_messages():
    with pytest.raises(ValueError, match=r"^'(sin\(){15}'\.\.\. is nested"):
        compile_expression("sin(" * 100 + "x" + ")" * 100)


def test_names_with_dots_are_read_once_in_order():
    compiled = compile_expression("b.c * a + b.c")
    assert compiled.names == ("b.c", "a")
    assert compiled.function(2.0, 3.0) == 8.0


@pytest.mark.parametrize(
    "text",
    [
        "abs(x)",
        "max(x, y)",
        "x if y else z",
        "x < y",
        "x % 2",
        "x // 2",
        "'a'",
        "True",
        "1j",
        "[x for x in y]",
        "(lambda: 1)()",
        "x[0]",
        "exp(x, y)",
        "exp(x=1)",
        "exp(*x)",
        "x.real()",
        "(x + 1).imag",
        "__import__('os')",
        "x.__class__",
        "exp",
        "exp.x * 0 + exp",
        "f'{x}'",
        "x := 2",
        "",
        "x +",
        "x; y",
        "1e999",
        "9**9**9",
        "x + 1 / 0",
        "(-1)**0.5 * x",
        "log(0)",
        "(" * 100 + "x" + ")" * 100,
        "9" * 400,
        "x" * (MAX_LENGTH + 1),
        "(" * 300 + "x" + ")" * 300,
        "-" * (MAX_DEPTH + 2) + "x",
        "x\0y",
    ],
)
def test_anything_else_is_refused(text):
    with pytest.raises(ValueError, match=r"expression|understood|quantity|nested|finite|letters"):
        compile_expression(text)
