"""Numbers as people read them: rounded to what the interval supports, with a true minus sign."""

import math

MINUS = "−"
NONE = "–"


def decimals_for(low: float | None, high: float | None, *values: float | None) -> int:
    """Return how many decimals an estimate between ``low`` and ``high`` deserves.

    One significant digit of the half width where it leads with 3 to 9, two where it leads with 1 or 2, as the
    Particle Data Group rounds. Without an interval: four significant digits of the largest of ``values``.
    """
    if low is not None and high is not None and high > low:
        return _decimals((high - low) / 2)
    largest = max((abs(value) for value in values if value), default=0.0)
    return min(6, max(0, 3 - math.floor(math.log10(largest)))) if largest else 3


def _decimals(half_width: float) -> int:
    exponent = math.floor(math.log10(half_width))
    leading = half_width / 10.0**exponent
    return min(8, max(0, -exponent + (1 if leading < 2.95 else 0)))


def separate(low: float | None, bound: float | None, decimals: int) -> int:
    """Return ``decimals``, or up to three more, so that two different numbers do not look equal."""
    if low is None or bound is None or low == bound:
        return decimals
    for more in range(4):
        if f"{low:.{decimals + more}f}" != f"{bound:.{decimals + more}f}":
            return decimals + more
    return decimals


def format_number(value: float | None, decimals: int, *, signed: bool = False) -> str:
    """Return ``value`` with ``decimals`` decimals, thousands apart, and a plus sign if ``signed`` and positive."""
    if value is None:
        return NONE
    if value and (abs(value) >= 1e9 or abs(value) < 0.5 * 10.0**-decimals * 1e-3):
        body = f"{abs(value):.2e}"
        negative = value < 0
    else:
        body = f"{abs(value):,.{decimals}f}"
        negative = value < 0 and any(digit in body for digit in "123456789")
    if negative:
        return MINUS + body
    return f"+{body}" if signed and any(digit in body for digit in "123456789") else body


def format_bound(value: float, decimals: int, *, signed: bool = False) -> str:
    """Return a number of the policy: never rounded, at least as many decimals as what stands beside it."""
    shortest = f"{abs(value):.10f}".rstrip("0")
    own = len(shortest.partition(".")[2])
    return format_number(value, max(own, min(decimals, 6)), signed=signed)


def format_interval(low: float | None, high: float | None, decimals: int, *, signed: bool = False) -> str:
    """Return both bounds of an interval."""
    return f"{format_number(low, decimals, signed=signed)} … {format_number(high, decimals, signed=signed)}"


def format_count(count: int) -> str:
    """Return a count with its thousands apart."""
    return f"{count:,}"


def format_seconds(seconds: float) -> str:
    """Return a duration: ``41 s``, ``3 min 05 s``, ``2 h 10 min``."""
    whole = round(seconds)
    if whole < 1:
        return "under 1 s"
    if whole < 90:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    if minutes < 90:
        return f"{minutes} min {rest:02d} s"
    return f"{minutes // 60} h {minutes % 60:02d} min"


def plural(count: int, one: str, many: str = "") -> str:
    """Return a count with its noun."""
    return f"{format_count(count)} {one if count == 1 else many or one + 's'}"


def format_level(confidence: float) -> str:
    """Return a confidence level: ``95 %``."""
    return f"{confidence * 100:.4g} %"
