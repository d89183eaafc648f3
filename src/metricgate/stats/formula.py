"""Formulas of row sums, such as ``sum(errors)/sum(words)``: parsed, never evaluated as code.

A formula is arithmetic over sums and means of numeric columns. Its derivative by each sum, taken by a complex step,
gives the influence of a row: one delta-method rule for word error rate, IoU, perplexity, click-through and the like.
"""

import ast
import cmath
import operator
from collections.abc import Callable, Mapping
from difflib import get_close_matches
from functools import partial

import numpy as np

from metricgate.errors import ConfigurationError
from metricgate.models.outcome import Direction
from metricgate.models.samples import Sample, Task
from metricgate.stats.metric import Evaluation, Metric, MetricUndefined, evaluate_mean
from metricgate.stats.shares import ShareMetric

_ANY_TASK: frozenset[Task] = frozenset({"binary", "multiclass", "regression", "score"})
_STEP = 1e-30
_MAX_LENGTH = 500
_EXPECTED = (
    "numbers, + - * / **, brackets, exp(), log(), sqrt(), count(), and sum(column) or mean(column) of numeric columns, "
    'such as sum(errors)/sum(words); a column whose name is not a plain word stands in quotes: sum("my column").'
)
_OPERATORS: dict[type[ast.operator], Callable[[complex, complex], complex]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Pow: operator.pow,
}
_FUNCTIONS: dict[str, Callable[[complex], complex]] = {"exp": cmath.exp, "log": cmath.log, "sqrt": cmath.sqrt}
Sums = Mapping[str, complex]
"""The sum of each column by name; the sum of the weights under ``""``."""
Node = Callable[[Sums], complex]


class _Parser:
    """Turns a syntax tree into functions of the column sums; whatever is not listed here is refused."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.columns: list[str] = []
        self.is_mean = False

    def parse(self) -> Node:
        if len(self.text) > _MAX_LENGTH:
            raise self._refuse(f"it is longer than {_MAX_LENGTH} characters")
        try:
            tree = ast.parse(self.text.strip(), mode="eval")
        except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
            raise self._refuse("it is not arithmetic") from error
        node = self._read(tree.body)
        match tree.body:
            case ast.Call(func=ast.Name(id="mean")):
                self.is_mean = True
        if not self.columns:
            raise self._refuse("it reads no column")
        return node

    def _read(self, node: ast.expr) -> Node:
        match node:
            case ast.Constant(value=int() | float() as value) if not isinstance(value, bool):
                number = self._read_number(value)
                return lambda _: number
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                inner = self._read(operand)
                return lambda sums: -inner(sums)
            case ast.BinOp(left=left, op=op, right=right) if type(op) in _OPERATORS:
                return partial(_apply, _OPERATORS[type(op)], self._read(left), self._read(right))
            case ast.Call(func=ast.Name(id=name), args=arguments, keywords=[]):
                return self._read_call(name, arguments)
        raise self._refuse(f"{ast.unparse(node)!r} is not allowed")

    def _read_number(self, value: float) -> complex:
        try:
            return complex(value)
        except OverflowError as error:
            raise self._refuse("a number is too large") from error

    def _read_call(self, name: str, arguments: list[ast.expr]) -> Node:
        if name == "count" and not arguments:
            return operator.itemgetter("")
        if name in {"sum", "mean"} and len(arguments) == 1:
            column = self._read_column(arguments[0])
            if name == "sum":
                return operator.itemgetter(column)
            return lambda sums: sums[column] / sums[""]
        if name in _FUNCTIONS and len(arguments) == 1:
            return partial(_call, name, self._read(arguments[0]))
        raise self._refuse(f"{name}() with {len(arguments)} arguments is not known")

    def _read_column(self, node: ast.expr) -> str:
        match node:
            case ast.Name(id=name) | ast.Constant(value=str() as name):
                if name not in self.columns:
                    self.columns.append(name)
                return name
        raise self._refuse(f"{ast.unparse(node)!r} is not the name of a column")

    def _refuse(self, reason: str) -> ConfigurationError:
        return ConfigurationError(
            f"The formula {self.text!r} cannot be used: {reason}.",
            expected=_EXPECTED,
            fix="Correct the formula in the gate; compute what it cannot say as a column of the predictions.",
            topic="the-formula-cannot-be-used",
        )


def _apply(function: Callable[[complex, complex], complex], left: Node, right: Node, sums: Sums) -> complex:
    return function(left(sums), right(sums))


def _call(name: str, inner: Node, sums: Sums) -> complex:
    value = inner(sums)
    if name != "exp" and value.real <= 0:
        raise MetricUndefined(f"{name}() of {value.real:g} is undefined.", code="not_finite")
    return _FUNCTIONS[name](value)


def is_formula(name: str) -> bool:
    """Return whether a metric's name is a formula, the only kind of name with a bracket."""
    return "(" in name


def parse_formula(text: str, columns: tuple[str, ...] = ()) -> Metric:
    """Return the metric of a formula.

    Parameters
    ----------
    columns : the numeric columns that exist; none given: any name is taken.

    Raises
    ------
    ConfigurationError
        The text is not such a formula, or names a column that does not exist.
    """
    parser = _Parser(text)
    node = parser.parse()
    if columns:
        _require_columns(text, parser.columns, columns)
    names = tuple(parser.columns)
    if parser.is_mean:
        return ShareMetric(
            name=text.strip(),
            label=text.strip(),
            direction=Direction.LOWER,
            tasks=_ANY_TASK,
            needs=frozenset(),
            columns=names,
            row_values=lambda sample: sample.columns[names[0]],
            compute=lambda sample: evaluate_mean(sample.columns[names[0]], sample),
            directed=False,
        )
    return Metric(
        name=text.strip(),
        label=text.strip(),
        direction=Direction.LOWER,
        tasks=_ANY_TASK,
        needs=frozenset(),
        columns=names,
        compute=lambda sample: _evaluate(node, names, sample),
        directed=False,
    )


def _require_columns(text: str, used: list[str], columns: tuple[str, ...]) -> None:
    for name in used:
        if name not in columns:
            close = get_close_matches(name, columns, n=1)
            raise ConfigurationError(
                f"The formula {text!r} reads the column {name!r}, which is not a numeric column of the predictions.",
                expected=f"one of {', '.join(columns)}.",
                fix=f"Perhaps you meant {close[0]!r}?" if close else "Correct the name, or add the column.",
                topic="the-formula-cannot-be-used",
            )


def _evaluate(node: Node, names: tuple[str, ...], sample: Sample) -> Evaluation:
    values = {name: sample.columns[name] for name in names}
    weight = np.ones(sample.rows) if sample.weight is None else sample.weight
    sums = {name: complex(column @ weight) for name, column in values.items()} | {"": complex(weight.sum())}
    value = _compute(node, sums)
    influence = np.full(sample.rows, _differentiate(node, sums, ""))
    for name, column in values.items():
        influence += _differentiate(node, sums, name) * column
    influence *= weight * sample.rows
    return Evaluation(value, influence - influence.mean())


def _compute(node: Node, sums: Sums) -> float:
    try:
        value = node(sums)
    except ZeroDivisionError as error:
        raise MetricUndefined("The formula divides by zero on these rows.", code="zero_denominator") from error
    except OverflowError as error:
        raise MetricUndefined("The formula is too large to compute on these rows.", code="not_finite") from error
    if value.imag != 0:
        raise MetricUndefined("The formula takes a root of a negative number on these rows.", code="not_finite")
    return value.real


def _differentiate(node: Node, sums: Sums, name: str) -> float:
    return node({**sums, name: sums[name] + 1j * _STEP}).imag / _STEP
