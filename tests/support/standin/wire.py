"""JSON as serde_json reads and prints it: number spelling, error texts with their columns, duplicate keys.

What the fields of a request mean is not decided here (see requests.py).
"""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from .errors import FormatError

# serde_json refuses the 128th nested container.
MAX_DEPTH = 128
U64_MAX = 2**64 - 1
I64_MIN = -(2**63)

_WHITESPACE = " \n\t\r"
_ESCAPES = '"\\/bfnrt'


class Obj(dict):
    """A JSON object that had keys more than once; `pairs` keeps them all, in order."""

    __slots__ = ("pairs",)


def _object(pairs: list[tuple[str, Any]]) -> dict:
    found = dict(pairs)
    if len(found) != len(pairs):
        found = Obj(found)
        found.pairs = pairs
    return found


def _integer(text: str) -> int | float:
    """serde_json without arbitrary precision: beyond u64/i64 a number is a double, and so is -0."""
    value = int(text)
    if text == "-0" or not I64_MIN <= value <= U64_MAX:
        return float(text)
    return value


def _refuse_constant(text: str) -> None:
    raise ValueError(text)


_decoder = json.JSONDecoder(object_pairs_hook=_object, parse_int=_integer, parse_constant=_refuse_constant)


def parse(body: bytes) -> Any:
    """Parses a request body; on anything serde_json refuses raises FormatError with its words."""
    if _bracket_depth(body) >= MAX_DEPTH:
        _explain(body)
    try:
        text = body.decode("utf-8")
        return _decoder.decode(text)
    except (ValueError, RecursionError):
        _explain(body)
        raise FormatError("expected value", body) from None


def _bracket_depth(body: bytes) -> int:
    """An upper hint of the nesting depth; brackets inside strings are counted too."""
    if body.count(b"[") + body.count(b"{") < MAX_DEPTH:
        return 0
    raw = np.frombuffer(body, dtype=np.uint8)
    step = np.zeros(len(raw), dtype=np.int32)
    step[(raw == 0x5B) | (raw == 0x7B)] = 1
    step[(raw == 0x5D) | (raw == 0x7D)] = -1
    return int(step.cumsum().max())


def _explain(body: bytes) -> None:
    """Walks the body as serde_json does and raises at its first error; returns when there is none."""
    _Walker(body).walk()


class _Walker:
    """A recursive-descent check that says what is wrong and where, in serde_json's words."""

    def __init__(self, body: bytes) -> None:
        # latin-1 keeps one character per byte: columns are counted in bytes.
        self.text = body.decode("latin-1")
        self.body = body
        self.at = 0

    def fail(self, message: str, at: int | None = None) -> None:
        """Raises with the position of the byte at `at` (0-based; its column is one more)."""
        end = (self.at if at is None else at) + 1
        end = min(end, len(self.text))
        line = self.text.count("\n", 0, end) + 1
        column = end - (self.text.rfind("\n", 0, end) + 1)
        raise FormatError(message, position=(line, column))

    def peek(self) -> str:
        while self.at < len(self.text) and self.text[self.at] in _WHITESPACE:
            self.at += 1
        return self.text[self.at] if self.at < len(self.text) else ""

    def walk(self) -> None:
        self.value(MAX_DEPTH)
        if self.peek():
            self.fail("trailing characters")

    def value(self, depth: int) -> None:
        head = self.peek()
        if not head:
            self.fail("EOF while parsing a value")
        if head in "[{":
            if depth - 1 == 0:
                self.fail("recursion limit exceeded")
            self.array(depth - 1) if head == "[" else self.object(depth - 1)
        elif head == '"':
            self.string()
        elif head == "-" or head.isdigit():
            self.number()
        elif head in "tfn":
            word = {"t": "true", "f": "false", "n": "null"}[head]
            for offset, char in enumerate(word):
                if self.at + offset >= len(self.text):
                    self.fail("EOF while parsing a value", len(self.text))
                if self.text[self.at + offset] != char:
                    self.fail("expected ident", self.at + offset)
            self.at += len(word)
        else:
            self.fail("expected value")

    def array(self, depth: int) -> None:
        self.at += 1
        if self.peek() == "]":
            self.at += 1
            return
        while True:
            if self.peek() == "]":
                self.fail("trailing comma")
            if not self.peek():
                # After a comma serde is already looking for a value.
                self.fail("EOF while parsing a value" if "," in self.text[self.at - 1 : self.at] else "EOF while parsing a list")
            self.value(depth)
            head = self.peek()
            self.at += 1
            if head == "]":
                return
            if not head:
                self.fail("EOF while parsing a list", len(self.text))
            if head != ",":
                self.fail("expected `,` or `]`", self.at - 1)

    def object(self, depth: int) -> None:
        self.at += 1
        if self.peek() == "}":
            self.at += 1
            return
        while True:
            head = self.peek()
            if not head:
                self.fail("EOF while parsing an object")
            if head == "}":
                self.fail("trailing comma")
            if head != '"':
                self.fail("key must be a string")
            self.string()
            if self.peek() != ":":
                self.fail("expected `:`" if self.peek() else "EOF while parsing an object")
            self.at += 1
            self.value(depth)
            head = self.peek()
            self.at += 1
            if head == "}":
                return
            if not head:
                self.fail("EOF while parsing an object", len(self.text))
            if head != ",":
                self.fail("expected `,` or `}`", self.at - 1)

    def string(self) -> None:
        start = self.at + 1
        self.at = start
        while True:
            if self.at >= len(self.text):
                self.fail("EOF while parsing a string")
            char = self.text[self.at]
            if char == '"':
                break
            if char < " ":
                self.fail("control character (\\u0000-\\u001F) found while parsing a string")
            if char == "\\":
                self.at += 1
                if self.at >= len(self.text):
                    self.fail("EOF while parsing a string")
                if self.text[self.at] == "u":
                    if not all(c in "0123456789abcdefABCDEF" for c in self.text[self.at + 1 : self.at + 5]):
                        self.fail("invalid escape")
                    self.at += 4
                elif self.text[self.at] not in _ESCAPES:
                    self.fail("invalid escape")
            self.at += 1
        try:
            self.body[start : self.at].decode("utf-8")
        except UnicodeDecodeError:
            # serde_json looks at the text once its closing quote is read.
            self.fail("invalid unicode code point")
        self.at += 1

    def number(self) -> None:
        start = self.at
        while self.at < len(self.text) and self.text[self.at] in "+-0123456789.eE":
            self.at += 1
        try:
            _decoder.decode(self.text[start : self.at])
        except ValueError:
            self.fail("invalid number", min(self.at, len(self.text)))


def _pretty(digits: str, point: int, low: int, high: int) -> str:
    """ryu's layout of 0.DIGITS x 10^point; plain for low < point <= high, else scientific."""
    if len(digits) <= point <= high:
        return digits + "0" * (point - len(digits)) + ".0"
    if 0 < point <= high:
        return digits[:point] + "." + digits[point:]
    if low < point <= 0:
        return "0." + "0" * -point + digits
    mantissa = digits[0] + ("." + digits[1:] if len(digits) > 1 else "")
    return f"{mantissa}e{point - 1}"


def _spell(scientific: str, low: int, high: int) -> str:
    """A shortest round-trip spelling such as `-1.25e-07` in ryu's layout."""
    sign = ""
    if scientific[0] == "-":
        sign, scientific = "-", scientific[1:]
    mantissa, _, exponent = scientific.partition("e")
    whole, _, fraction = mantissa.partition(".")
    digits = (whole + fraction).rstrip("0")
    if not digits.strip("0"):
        return sign + "0.0"
    point = len(whole) + int(exponent or 0)
    stripped = digits.lstrip("0")
    point -= len(digits) - len(stripped)
    return sign + _pretty(stripped, point, low, high)


def print_double(value: float) -> str:
    """A double as serde_json prints it: shortest, `1.0`, `1e-7`, `1e16`; not finite is `null`."""
    if value != value or value in (float("inf"), float("-inf")):
        return "null"
    text = repr(float(value))
    if "e" not in text and 1e-5 <= abs(value) < 1e16:
        return text
    return _spell(text, -5, 16)


def print_single(value: Any) -> str:
    """A float32 as serde_json prints it: the shortest text that reads back as the same float32."""
    single = np.float32(value)
    if not np.isfinite(single):
        return "null"
    text = str(single)
    if "e" not in text and 1e-3 <= abs(single) < 1e13:
        return text
    return _spell(np.format_float_scientific(single, trim="-"), -6, 13)


class Single(float):
    """A number to be printed as float32."""

    __slots__ = ()


class Raw(str):
    """JSON text that is already printed."""

    __slots__ = ()


_escape = json.encoder.encode_basestring


def dump(value: Any) -> str:
    """Compact JSON in serde_json's spelling; dict order is kept."""
    kind = type(value)
    if kind is str:
        return _escape(value)
    if kind is dict or kind is Obj:
        return "{" + ",".join(f"{_escape(key)}:{dump(item)}" for key, item in value.items()) + "}"
    if kind is list or kind is tuple:
        return "[" + ",".join(map(dump, value)) + "]"
    if value is None:
        return "null"
    if kind is bool:
        return "true" if value else "false"
    if kind is int:
        return str(value)
    if kind is float:
        return print_double(value)
    if kind is Single or isinstance(value, np.float32):
        return print_single(value)
    if kind is Raw:
        return str(value)
    if isinstance(value, np.ndarray):
        if value.ndim > 1:
            return "[" + ",".join(map(dump, value)) + "]"
        return "[" + ",".join(map(print_single, value)) + "]"
    raise TypeError(f"no JSON form for {kind.__name__}")
