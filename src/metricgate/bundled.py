"""The examples that `metricgate demo` and `metricgate init` copy: packaged beside this module, or in the checkout."""

from pathlib import Path

_PACKAGED = Path(__file__).parent / "examples"
EXAMPLES = _PACKAGED if _PACKAGED.is_dir() else Path(__file__).parents[2] / "examples"
