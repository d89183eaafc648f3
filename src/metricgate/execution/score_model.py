"""Runs in the project's own Python, without MetricGate: load a model, score the rows of a table, write the predictions.

``python score_model.py REQUEST`` reads its request, a JSON file, and writes what it found beside the predictions. What
it cannot do is written there too, as one sentence.
"""

import csv
import json
import os
import pickle
import sys
from typing import Any

NATIVE = (".json", ".ubj", ".txt", ".cbm", ".onnx", ".pt", ".pth", ".h5", ".keras")  # written by a library's own save
BOOSTERS = ("xgboost.core.Booster", "lightgbm.basic.Booster", "catboost.core.CatBoost")
SAVE_IT = "save the estimator itself: joblib.dump(model, 'model.joblib')"


class ScoringError(Exception):
    """The model or the data do not allow it; the text is for people."""


def load_model(path: str) -> Any:
    sys.path[:0] = [os.getcwd(), os.path.join(os.getcwd(), "src")]  # a pickle names the project's own modules
    if path.endswith(NATIVE):
        raise ScoringError(
            "the file has a library's own format, not an estimator with its columns and classes: " + SAVE_IT
        )
    try:
        if path.endswith(".skops"):
            import skops.io

            model = skops.io.load(path, trusted=skops.io.get_untrusted_types(file=path))
        elif path.endswith((".pkl", ".pickle")):
            with open(path, "rb") as file:
                model = _unpickle(file, path)
        else:
            import joblib

            model = joblib.load(path)
    except ImportError as error:
        raise ScoringError(f"loading the model needs a module that cannot be imported: {error}") from error
    except ScoringError:
        raise
    except Exception as error:
        raise ScoringError(f"the model cannot be loaded: {type(error).__name__}: {error}") from error
    kind = f"{type(model).__module__}.{type(model).__qualname__}"
    if kind in BOOSTERS:
        raise ScoringError(f"the model's file holds a {kind}, without classes: {SAVE_IT}, as of XGBClassifier")
    if not hasattr(model, "predict"):
        raise ScoringError(f"the model's file holds a {kind}, which is not an estimator: it has no predict()")
    return model


def _unpickle(file: Any, path: str) -> Any:
    try:
        return pickle.load(file)
    except pickle.UnpicklingError:
        import joblib  # a file that joblib wrote under the other name

        return joblib.load(path)


class PlainTable:
    """A CSV file's columns, for a Python without pandas: numbers where every value is one."""

    def __init__(self, path: str) -> None:
        with open(path, newline="", encoding="utf-8-sig") as file:
            header, *rows = list(csv.reader(file, delimiter="\t" if path.endswith(".tsv") else ","))
        self.columns = header
        self._values = {name: _as_numbers([row[i] for row in rows]) for i, name in enumerate(header)}

    def __getitem__(self, wanted: Any) -> Any:
        if not isinstance(wanted, list):
            return self._values[wanted]
        import numpy as np

        return np.array([self._values[name] for name in wanted]).T


def _as_numbers(texts: Any) -> Any:
    for convert in (int, float):
        try:
            return [convert(text) for text in texts]
        except ValueError:
            continue
    return texts


def read_table(path: str) -> Any:
    try:
        try:
            import pandas as pd
        except ImportError:
            if not path.endswith((".csv", ".tsv")):
                raise ScoringError("reading this data needs pandas in the stages' Python") from None
            return PlainTable(path)
        if path.endswith(".parquet"):
            return pd.read_parquet(path)
        if path.endswith((".jsonl", ".ndjson")):
            return pd.read_json(path, lines=True)
        return pd.read_csv(path, sep="\t" if path.endswith(".tsv") else ",")
    except ScoringError:
        raise
    except Exception as error:
        raise ScoringError(f"the data cannot be read: {type(error).__name__}: {error}") from error


def find_features(model: Any, table: Any, request: Any) -> Any:
    """Return the columns that the model reads: as asked, as it remembers, or all but those with another role."""
    kept = [request["label"], *request["id"], *request["slices"]]
    absent = [name for name in kept if name is not None and name not in table.columns]
    if absent:
        raise ScoringError(f"the data has no column {', '.join(absent)}; it has {', '.join(map(str, table.columns))}")
    names = request["features"] or _remembered(model)
    if not names:
        own = {request["label"], *request["id"]}
        names = [name for name in table.columns if name not in own]
        expected = getattr(model, "n_features_in_", len(names))
        if len(names) != expected:
            names = [name for name in names if name not in request["slices"]]
        if len(names) != expected:
            raise ScoringError(f"the model reads {expected} columns, and the data has {len(names)}: name `features`")
    missing = [name for name in names if name not in table.columns]
    if missing:
        raise ScoringError(f"the model needs columns that the data lacks: {', '.join(map(str, missing))}")
    return list(names)


def propose_roles(model: Any, table: Any, label_names: Any) -> Any:
    """Return the label and the id among the columns that the model does not read."""
    columns = [str(name) for name in table.columns]
    names = _remembered(model)
    missing = [name for name in names if name not in columns]
    if missing:
        raise ScoringError(f"the model needs columns that the data lacks: {', '.join(missing)}")
    rest = [name for name in columns if name not in names]
    ids = [name for name in rest if _may_be_id(name, list(table[name]))]
    others = [name for name in rest if name not in ids]
    usual = [name for name in others if name.lower() in label_names]
    labels = usual[:1] or (others if names and len(others) == 1 else [])
    if not labels:
        raise ScoringError(f"which column is the label cannot be told: {', '.join(others) or 'none is left'}")
    return {"label": labels[0], "id": ids[:1]}


def _may_be_id(name: str, values: Any) -> bool:
    named = name.lower() in ("id", "index", "uuid", "key") or name.lower().endswith(("_id", " id"))
    return len(set(values)) == len(values) and (named or all(isinstance(value, str) for value in values))


def _remembered(model: Any) -> Any:
    for name in ("feature_names_in_", "feature_names_", "feature_name_"):
        try:
            found = getattr(model, name, None)
        except Exception:
            found = None
        if found is not None and len(found):
            return [str(each) for each in found]
    return []


def score(model: Any, rows: Any) -> Any:
    """Return the columns of the model's answers, and the positive class where there are two."""
    try:
        answers = {"prediction": [_plain(value) for value in model.predict(rows)]}
        classes = [_plain(value) for value in getattr(model, "classes_", [])]
        positive = None
        if len(classes) == 2:
            positive = classes[1]
            if hasattr(model, "predict_proba"):
                answers["score"] = [float(value) for value in model.predict_proba(rows)[:, 1]]
            elif hasattr(model, "decision_function"):
                answers["score"] = [float(value) for value in model.decision_function(rows)]
        elif len(classes) > 2 and hasattr(model, "predict_proba"):
            found = model.predict_proba(rows)
            answers.update({f"p_{name}": [float(v) for v in found[:, i]] for i, name in enumerate(classes)})
    except Exception as error:
        raise ScoringError(f"the model cannot score the data: {type(error).__name__}: {error}") from error
    return answers, classes, positive


def _plain(value: Any) -> Any:
    """Return a Python value for NumPy's; CatBoost wraps each answer in a list."""
    value = value.item() if hasattr(value, "item") and getattr(value, "size", 1) == 1 else value
    return value[0] if isinstance(value, (list, tuple)) and len(value) == 1 else value


def _cell(value: Any) -> Any:
    """Return a value as text of the file; what pandas read as missing stays empty."""
    plain = _plain(value)
    return "" if plain is None or str(plain) in ("nan", "NaT", "<NA>") else plain


def run(request: Any) -> Any:
    model = load_model(request["model"])
    table = read_table(request["data"])
    proposed = propose_roles(model, table, request["label_names"]) if request["label"] is None else {}
    request = {**request, **proposed}
    answers, classes, positive = score(model, table[find_features(model, table, request)])
    kept = dict.fromkeys([*request["id"], request["label"], *request["slices"]])
    columns = {f"model_{name}" if name in kept else name: values for name, values in answers.items()}
    with open(request["predictions"], "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow([*kept, *columns])
        own = [[_cell(value) for value in table[name]] for name in kept]
        writer.writerows(zip(*own, *columns.values()))  # noqa: B905  Python 3.9 has no strict
    roles = {name: (f"model_{name}" if name in kept else name) for name in answers}
    return {**proposed, "roles": roles, "classes": [str(name) for name in classes], "positive": positive}


def main() -> int:
    with open(sys.argv[1], encoding="utf-8") as file:
        request = json.load(file)
    try:
        found = run(request)
    except ScoringError as error:
        found = {"problem": str(error)}
    with open(request["found"], "w", encoding="utf-8") as file:
        json.dump(found, file)
    return 1 if "problem" in found else 0


if __name__ == "__main__":
    sys.exit(main())
