"""Runs in the project's own Python, without MetricGate: fit a detector to the reference, ask it about the current rows.

``python run_detector.py REQUEST`` reads its request, a JSON file, and writes a number, or what went wrong.
"""

import importlib
import json
import os
import sys
from typing import Any


class DetectorError(Exception):
    """The class cannot be used; the text is for people."""


def find_class(name: str) -> Any:
    sys.path[:0] = [os.getcwd(), os.path.join(os.getcwd(), "src")]
    module, _, attribute = name.partition(":")
    try:
        return getattr(importlib.import_module(module), attribute)
    except ImportError as error:
        raise DetectorError(f"{module} cannot be imported: {error}") from error
    except AttributeError as error:
        raise DetectorError(f"{module} has no {attribute}") from error


def call(method: Any, rows: Any) -> Any:
    """Call with the rows as the first argument, or as ``X``, which some detectors insist on."""
    try:
        return method(rows)
    except TypeError:
        return method(X=rows)


def measure(detector: Any, reference: Any, current: Any) -> dict[str, Any]:
    import numpy as np

    if hasattr(detector, "predict"):
        before, after = (np.asarray(call(detector.predict, rows)).ravel() for rows in (reference, current))
        known = set(np.unique(np.concatenate([before, after])).tolist())
        if not known <= {-1, 0, 1}:
            raise DetectorError("predict() answers something else than 1 and 0, or 1 and -1, for each row")
        # scikit-learn marks an outlier with -1 and the others with 1; elsewhere it is 1, or true, and 0.
        odd = -1 if -1 in known or known == {1} else 1
        return {"number": float(np.mean(after == odd)), "reference": float(np.mean(before == odd)), "kind": "flagged"}
    if hasattr(detector, "score"):
        scores = [float(np.mean(call(detector.score, rows))) for rows in (reference, current)]
        return {"number": scores[1], "reference": scores[0], "kind": "score"}
    if hasattr(detector, "compare"):
        found = call(detector.compare, current)
        found = found[0] if isinstance(found, tuple) else found
        for name in ("distance", "statistic"):
            if hasattr(found, name):
                return {"number": float(getattr(found, name)), "reference": None, "kind": name}
    raise DetectorError("it has neither predict() nor score() nor compare()")


def ask(request: dict[str, Any]) -> dict[str, Any]:
    try:
        import numpy as np
    except ImportError as error:
        raise DetectorError(f"the project's Python has no numpy: {error}") from error
    reference, current = (np.load(request[side], allow_pickle=False) for side in ("reference", "current"))
    detector = find_class(request["class"])(**request["options"])
    if not hasattr(detector, "fit"):
        raise DetectorError("it has no fit()")
    call(detector.fit, reference)
    found = measure(detector, reference, current)
    if not np.isfinite(found["number"]):
        raise DetectorError("its answer is not a finite number")
    return found


def main(path: str) -> int:
    with open(path, encoding="utf-8") as file:
        request = json.load(file)
    try:
        found = ask(request)
    except DetectorError as error:
        found = {"problem": str(error)}
    except Exception as error:
        found = {"problem": f"{type(error).__name__}: {error}"}
    with open(request["found"], "w", encoding="utf-8") as file:
        json.dump(found, file)
    return 1 if "problem" in found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
