"""Numbers as people read them: rounded to what the interval supports, with a true minus sign."""

import math

MINUS = "−"
NONE = "–"
HUGE = 1e9
MAX_DECIMALS = 7
WRITTEN_DECIMALS = 6  # nobody writes more by hand


def decimals_for(low: float | None, high: float | None, *values: float | None) -> int:
    """Return how many decimals an estimate between ``low`` and ``high`` supports.

    One significant digit of the half width if its first digit is 3 to 9, two if it is 1 or 2, as the
    Particle Data Group rounds. Without an interval: four significant digits of the largest of ``values``, and up to
    four more until two of the digits in which they differ show.
    """
    if low is not None and high is not None and high > low:
        return _decimals((high - low) / 2)
    known = [value for value in values if value is not None]
    largest = max(map(abs, known), default=0.0)
    if not largest:
        return 3
    decimals = max(0, 3 - _exponent(largest))
    apart = max(known) - min(known)
    return max(decimals, min(decimals + 4, 1 - _exponent(apart))) if apart else decimals


def _decimals(half_width: float) -> int:
    exponent = _exponent(half_width)
    leading = half_width / 10.0**exponent
    return max(0, -exponent + (1 if leading < 2.95 else 0))


def _exponent(value: float) -> int:
    return math.floor(math.log10(value))


def separate(low: float | None, bound: float | None, decimals: int) -> int:
    """Return ``decimals``, or up to three more, so that two different numbers do not look equal."""
    if low is None or bound is None or low == bound:
        return decimals
    for more in range(4):
        if f"{low:.{decimals + more}f}" != f"{bound:.{decimals + more}f}":
            return decimals + more
    return decimals


def format_number(value: float | None, decimals: int, *, signed: bool = False) -> str:
    """Return ``value`` with ``decimals`` decimals, thousands separated, and a plus sign if ``signed`` and positive.

    Very large numbers, and those that need very many decimals, are written with a power of ten.
    """
    if value is None:
        return NONE
    apart = abs(value) >= HUGE or (decimals > MAX_DECIMALS and value != 0)
    body = f"{abs(value):.2e}" if apart else f"{abs(value):,.{min(decimals, MAX_DECIMALS)}f}"
    if not any(digit in body.partition("e")[0] for digit in "123456789"):
        return body
    if value < 0:
        return MINUS + body
    return f"+{body}" if signed else body


def format_bound(value: float, decimals: int, *, signed: bool = False) -> str:
    """Return a number of the policy as it was written, with at least as many decimals as the number beside it.

    A share of the baseline has endless decimals; it is rounded like the number beside it.
    """
    own = len(f"{abs(value):.10f}".rstrip("0").partition(".")[2])
    written = own if own <= WRITTEN_DECIMALS else 0
    return format_number(value, max(written, min(decimals, WRITTEN_DECIMALS)), signed=signed)


def format_interval(low: float | None, high: float | None, decimals: int, *, signed: bool = False) -> str:
    """Return the bounds of an interval, or its only bound; empty without any."""
    ends = [format_number(end, decimals, signed=signed) for end in (low, high) if end is not None]
    if len(ends) == 1:
        return f"{'≥' if high is None else '≤'} {ends[0]}"
    return " … ".join(ends)


def format_count(count: int) -> str:
    """Return a count with a thousands separator."""
    return f"{count:,}"


def format_about(count: int) -> str:
    """Return an estimated count with its two leading digits: 1,504 is ``1,500``."""
    step: int = 10 ** max(0, len(str(count)) - 2)
    return format_count(round(count / step) * step)


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


def format_bytes(size: int) -> str:
    """Return a size: ``812 bytes``, ``4.2 kB``, ``1,204.0 MB``."""
    if size < 1000:
        return plural(size, "byte")
    return f"{size / 1e6:,.1f} MB" if size >= 1e5 else f"{size / 1e3:.1f} kB"


def plural(count: int, one: str, many: str = "") -> str:
    """Return a count with its noun."""
    return f"{format_count(count)} {one if count == 1 else many or one + 's'}"


def format_level(confidence: float) -> str:
    """Return a confidence level: ``95 %``."""
    return f"{confidence * 100:.4g} %"
