"""The arithmetic that a user states in place of a Lambda, such as ``x/127.5-1``: parsed here, not run by Python.

sum     = product (("+" | "-") product)*
product = sign (("*" | "/") sign)*
sign    = ("+" | "-")* power
power   = atom ["**" sign]
atom    = number | "x" | "y" | ("abs" | "min" | "max" | …) "(" sum ("," sum)* ")" | "(" sum ")"
"""

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from mninfer.errors import MnError
from mninfer.near import near_names

__all__ = ["FUNCTIONS", "Affine", "Expression", "parse_expression"]

# A function's name -> how many arguments it takes.
FUNCTIONS = {
    "abs": 1,
    "exp": 1,
    "log": 1,
    "sqrt": 1,
    "tanh": 1,
    "sigmoid": 1,
    "relu": 1,
    "relu6": 1,
    "min": 2,
    "max": 2,
}
MAX_CHARACTERS = 1000
MAX_DEPTH = 50
_TOKEN = re.compile(r"\s*(?:(\d+\.?\d*(?:[eE][+-]?\d+)?|\.\d+(?:[eE][+-]?\d+)?)|([A-Za-z_]\w*)|(\*\*|[-+*/(),]))")
_EXAMPLE = "arithmetic in x, such as x/127.5-1"

Node = tuple[Any, ...]  # ("number", 2.0), ("input", "x"), ("+", left, right), ("call", "abs", …)


@dataclass(frozen=True, slots=True)
class Affine:
    """scale · x + offset."""

    scale: float
    offset: float


@dataclass(frozen=True, slots=True)
class Expression:
    """A parsed expression."""

    text: str
    root: Node

    @property
    def affine(self) -> Affine | None:
        """The scale and the offset, where that is all it is and x is its only input.

        >>> parse_expression("(x - 127.5) / 127.5").affine
        Affine(scale=0.00784313725490196, offset=-1.0)
        """
        found = _affine(self.root)
        return found if found is not None and all(map(math.isfinite, (found.scale, found.offset))) else None

    @property
    def inputs(self) -> frozenset[str]:
        """``x``, ``y`` or both."""
        return frozenset(_inputs(self.root))

    def apply(self, inputs: dict[str, Any], functions: dict[str, Callable[..., Any]]) -> Any:
        """Compute it, with ``functions`` for "+", "-", "*", "/", "**" and the names in FUNCTIONS."""
        return _apply(self.root, inputs, functions)


def parse_expression(text: str) -> Expression:
    """Read an expression. Raise MnError that says at which character it stops being one."""
    if len(text) > MAX_CHARACTERS:
        raise MnError(f"an expression of {len(text)} characters; at most {MAX_CHARACTERS} are read")
    parser = _Parser(text, _tokens(text))
    root = parser.sum(0)
    if parser.token is not None:
        raise _wrong(text, parser.at, f'"{parser.token}" is one too much')
    expression = Expression(text, root)
    if not expression.inputs:
        raise MnError(f'the expression "{text}" has no x: it would forget its input', hints=_EXAMPLE)
    return expression


def _tokens(text: str) -> list[tuple[int, str]]:
    tokens, position = [], 0
    while text[position:].strip():
        match = _TOKEN.match(text, position)
        if match is None:
            raise _wrong(text, position, f'"{text[position:].strip()[0]}" is nothing that is known here')
        tokens.append((match.end() - len(match.group().lstrip()), match.group().strip()))
        position = match.end()
    return tokens


def _wrong(text: str, at: int, why: str) -> MnError:
    return MnError(f'the expression "{text}" cannot be read at character {at + 1}: {why}', hints=_EXAMPLE)


class _Parser:
    """Recursive descent over the tokens; ``depth`` bounds the recursion."""

    def __init__(self, text: str, tokens: Sequence[tuple[int, str]]) -> None:
        self.text, self.tokens, self.position = text, tokens, 0

    @property
    def token(self) -> str | None:
        return self.tokens[self.position][1] if self.position < len(self.tokens) else None

    @property
    def at(self) -> int:
        return self.tokens[self.position][0] if self.position < len(self.tokens) else len(self.text)

    def take(self, *wanted: str) -> str | None:
        """The next token, if it is one of those."""
        token = self.token
        if token not in wanted:
            return None
        self.position += 1
        return token

    def sum(self, depth: int) -> Node:
        node = self.product(depth)
        while sign := self.take("+", "-"):
            node = (sign, node, self.product(depth))
        return node

    def product(self, depth: int) -> Node:
        node = self.sign(depth)
        while sign := self.take("*", "/"):
            node = (sign, node, self.sign(depth))
        return node

    def sign(self, depth: int) -> Node:
        is_negative = False
        while sign := self.take("+", "-"):
            is_negative ^= sign == "-"
        node = self.power(depth)
        return ("*", ("number", -1.0), node) if is_negative else node

    def power(self, depth: int) -> Node:
        base = self.atom(depth)
        return ("**", base, self.sign(depth + 1)) if self.take("**") else base

    def atom(self, depth: int) -> Node:
        if depth > MAX_DEPTH:
            raise _wrong(self.text, self.at, f"nested more than {MAX_DEPTH} deep")
        at, token = self.at, self.token
        if token is None:
            raise _wrong(self.text, at, "it ends too early")
        self.position += 1
        if token == "(":
            node = self.sum(depth + 1)
            self.close()
            return node
        if token[0].isdigit() or token[0] == ".":
            return ("number", float(token))
        if token in {"x", "y"}:
            return ("input", token)
        if token in FUNCTIONS:
            return self.call(token, depth)
        near = near_names(token, FUNCTIONS)
        raise _wrong(self.text, at, f'"{token}" is not known' + (f', did you mean "{near[0]}"?' if near else ""))

    def call(self, name: str, depth: int) -> Node:
        at = self.at
        if not self.take("("):
            raise _wrong(self.text, at, f'"(" is missing after "{name}"')
        arguments = [self.sum(depth + 1)]
        while self.take(","):
            arguments.append(self.sum(depth + 1))
        self.close()
        if len(arguments) != FUNCTIONS[name]:
            raise _wrong(self.text, at, f"{name} takes {FUNCTIONS[name]} values, not {len(arguments)}")
        return ("call", name, *arguments)

    def close(self) -> None:
        if not self.take(")"):
            raise _wrong(self.text, self.at, '")" is missing')


def _inputs(node: Node) -> set[str]:
    if node[0] == "input":
        return {node[1]}
    return {name for part in node[1:] if isinstance(part, tuple) for name in _inputs(part)}


def _affine(node: Node) -> Affine | None:
    """A node as scale · x + offset; None where it is anything else."""
    kind, *parts = node
    if kind == "number":
        return Affine(0.0, parts[0])
    if kind == "input":
        return Affine(1.0, 0.0) if parts[0] == "x" else None
    if kind == "call":
        return None
    left, right = _affine(parts[0]), _affine(parts[1])
    return None if left is None or right is None else _combined(kind, left, right)


def _combined(kind: str, left: Affine, right: Affine) -> Affine | None:
    match kind:
        case "+":
            return Affine(left.scale + right.scale, left.offset + right.offset)
        case "-":
            return Affine(left.scale - right.scale, left.offset - right.offset)
        case "*" if left.scale == 0:
            return Affine(left.offset * right.scale, left.offset * right.offset)
        case "*" if right.scale == 0:
            return Affine(left.scale * right.offset, left.offset * right.offset)
        case "/" if right.scale == 0 and right.offset:
            return Affine(left.scale / right.offset, left.offset / right.offset)
        case "**" if left.scale == 0 == right.scale:
            return _constant_power(left.offset, right.offset)
    return None


def _constant_power(base: float, exponent: float) -> Affine | None:
    try:
        value = base**exponent
    except (OverflowError, ZeroDivisionError):
        return None
    return Affine(0.0, value) if isinstance(value, float) else None


def _apply(node: Node, inputs: dict[str, Any], functions: dict[str, Callable[..., Any]]) -> Any:
    kind, *parts = node
    if kind == "number":
        return parts[0]
    if kind == "input":
        return inputs[parts[0]]
    name, parts = (parts[0], parts[1:]) if kind == "call" else (kind, parts)
    return functions[name](*(_apply(part, inputs, functions) for part in parts))
