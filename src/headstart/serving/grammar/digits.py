"""Grammar expressions for numbers in a range."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

_Span = list[tuple[int, int]]  # one inclusive range of digits per position

LARGEST = 10**15 - 1  # of unbounded numbers; exact in a double
_DECIMALS = 4  # a bounded number may have this many digits after the point


def integers(low: int, high: int) -> list[str]:
    """Alternatives that together spell exactly the integers from `low` to `high`."""
    spelled = [f'"-" {_expression(span)}' for span in _spans(max(1, -high), -low)]
    return spelled + [_expression(span) for span in _spans(max(0, low), high)]


def numbers(low: Decimal, high: Decimal, *, open_low: bool, open_high: bool) -> list[str]:
    """Alternatives for numbers from `low` to `high`, with few digits after the point.

    Not every number in the range, but nothing outside. `open_…`: without the bound itself.
    """
    spelled = []
    for decimals in sorted({0, *range(1, _DECIMALS + 1), _decimals(low), _decimals(high)}):
        least = int((low.scaleb(decimals)).to_integral_value(ROUND_CEILING))
        most = int((high.scaleb(decimals)).to_integral_value(ROUND_FLOOR))
        least += open_low and Decimal(least).scaleb(-decimals) == low
        most -= open_high and Decimal(most).scaleb(-decimals) == high
        for span in _spans(max(1, -most), -least, decimals + 1):
            spelled.append(f'"-" {_expression(span, decimals)}')
        for span in _spans(max(0, least), most, decimals + 1):
            spelled.append(_expression(span, decimals))
    return spelled


def _spans(low: int, high: int, width: int = 1) -> Iterator[_Span]:
    """The numbers from `low` to `high`, padded with zeros to `width` digits."""
    if low > high:
        return
    for length in range(max(width, len(str(low))), max(width, len(str(high))) + 1):
        least = low if length == width else max(low, 10 ** (length - 1))
        most = min(high, 10**length - 1)
        if least <= most:
            yield from _same_length(f"{least:0{length}}", f"{most:0{length}}")


def _same_length(low: str, high: str) -> Iterator[_Span]:
    if not low:
        yield []
        return
    first, last, rest = int(low[0]), int(high[0]), len(low) - 1
    if first == last:
        for tail in _same_length(low[1:], high[1:]):
            yield [(first, first), *tail]
        return
    nines, zeros = "9" * rest, "0" * rest
    if low[1:] != zeros:
        for tail in _same_length(low[1:], nines):
            yield [(first, first), *tail]
        first += 1
    ragged_end = high[1:] != nines
    if first <= last - ragged_end:
        yield [(first, last - ragged_end), *[(0, 9)] * rest]
    if ragged_end:
        for tail in _same_length(zeros, high[1:]):
            yield [(last, last), *tail]


def _expression(span: _Span, decimals: int = 0) -> str:
    whole, fraction = span[: len(span) - decimals], span[len(span) - decimals :]
    point = [] if not decimals else ['"."', *map(_digit, fraction)]
    return " ".join([*map(_digit, whole), *point])


def _digit(digit: tuple[int, int]) -> str:
    return f'"{digit[0]}"' if digit[0] == digit[1] else f"[{digit[0]}-{digit[1]}]"


def _decimals(value: Decimal) -> int:
    exponent = value.normalize().as_tuple().exponent
    return min(max(0, -exponent), 9) if isinstance(exponent, int) else 0
