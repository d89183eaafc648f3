"""Stored models of the libraries that the documents name, saved in each of the ways that people save them."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.acceptance

ROOT = Path(__file__).parents[2]
PACKAGES = ("scikit-learn", "pandas", "skops", "xgboost-cpu", "lightgbm", "catboost")
# Trains and saves every model, then scores each with the script that a run starts.
TRIAL = """
import gzip, json, pickle, sys
import joblib, numpy as np, pandas as pd, skops.io
from catboost import CatBoostClassifier, CatBoostRegressor
from lightgbm import LGBMClassifier, LGBMRegressor
from sklearn.compose import make_column_transformer
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder
from xgboost import XGBClassifier, XGBRegressor

sys.path.insert(0, sys.argv[1])
import score_model

rng = np.random.default_rng(0)
table = pd.DataFrame({"id": range(300), "age": rng.normal(40, 9, 300), "contract": rng.choice(["m", "y"], 300)})
table["churned"] = (table.age + rng.normal(0, 5, 300) > 40).astype(int)
table["level"] = rng.choice(["a", "b", "c"], 300)
table["spend"] = table.age * 2 + rng.normal(0, 5, 300)
table.to_csv("test.csv", index=False)
X, y = table[["age"]], table.churned
pipeline = make_pipeline(
    make_column_transformer((OneHotEncoder(), ["contract"]), remainder="passthrough"), LogisticRegression()
).fit(table[["age", "contract"]], y)
quiet = {"iterations": 10, "verbose": 0, "allow_writing_files": False}
cat = CatBoostClassifier(**quiet, cat_features=["contract"]).fit(table[["age", "contract"]], y)
xgb, lgbm = XGBClassifier(n_estimators=10).fit(X, y), LGBMClassifier(n_estimators=10, verbose=-1).fit(X, y)

joblib.dump(pipeline, "joblib.joblib")
joblib.dump(pipeline, "compressed.joblib", compress=3)
joblib.dump(pipeline, "joblib.pkl")
pickle.dump(pipeline, open("pickle.pkl", "wb"))
pd.to_pickle(pipeline, "pandas.pkl")
pd.to_pickle(pipeline, "pandas.pkl.gz")
pd.to_pickle(pipeline, "pandas.pickle", compression="gzip")
skops.io.dump(pipeline, "skops.skops")
skops.io.dump(RandomForestClassifier(10).fit(X, table.level), "forest.skops")
joblib.dump(xgb, "xgboost.joblib")
joblib.dump(XGBRegressor(n_estimators=10).fit(X, table.spend), "xgboost-regression.joblib")
joblib.dump(lgbm, "lightgbm.joblib")
joblib.dump(LGBMClassifier(n_estimators=10, verbose=-1).fit(X, table.level), "lightgbm-classes.pkl")
joblib.dump(LGBMRegressor(n_estimators=10, verbose=-1).fit(X, table.spend), "lightgbm-regression.pkl")
joblib.dump(cat, "catboost.joblib")
joblib.dump(CatBoostClassifier(**quiet).fit(X, table.level), "catboost-classes.pkl")
joblib.dump(CatBoostRegressor(**quiet).fit(X, table.spend), "catboost-regression.pkl")
xgb.save_model("native.json"), xgb.save_model("native.ubj"), cat.save_model("native.cbm")
lgbm.booster_.save_model("native.txt")
joblib.dump(xgb.get_booster(), "xgboost-booster.joblib")
joblib.dump(lgbm.booster_, "lightgbm-booster.joblib")

said = {}
for path in json.loads(sys.argv[2]):
    label = "level" if "classes" in path or "forest" in path else "spend" if "regression" in path else "churned"
    request = {"model": path, "data": "test.csv", "label": label, "id": ["id"], "slices": [], "features": []}
    try:
        found = score_model.run({**request, "predictions": f"{path}.csv"})
    except score_model.ScoringError as error:
        said[path] = str(error)
        continue
    answers = pd.read_csv(f"{path}.csv")
    assert len(answers) == 300 and not answers.isna().any().any()
    said[path] = [sorted(found["roles"]), found["classes"]]
print(json.dumps(said))
"""
BINARY = [["prediction", "score"], ["0", "1"]]
CLASSES = [["p_a", "p_b", "p_c", "prediction"], ["a", "b", "c"]]
NUMBERS = [["prediction"], []]
EXPECTED = {
    **dict.fromkeys(("joblib.joblib", "compressed.joblib", "joblib.pkl", "pickle.pkl", "skops.skops"), BINARY),
    **dict.fromkeys(("pandas.pkl", "pandas.pkl.gz", "pandas.pickle"), BINARY),
    **dict.fromkeys(("xgboost.joblib", "lightgbm.joblib", "catboost.joblib"), BINARY),
    **dict.fromkeys(("forest.skops", "lightgbm-classes.pkl", "catboost-classes.pkl"), CLASSES),
    **dict.fromkeys(("xgboost-regression.joblib", "lightgbm-regression.pkl", "catboost-regression.pkl"), NUMBERS),
}
REFUSED = {
    **dict.fromkeys(("native.json", "native.ubj", "native.cbm", "native.txt"), "the file has a library's own format"),
    **dict.fromkeys(("xgboost-booster.joblib", "lightgbm-booster.joblib"), "the model's file holds a "),
}


def test_models_of_every_named_library_are_scored_and_native_files_are_refused_with_what_to_save(
    tmp_path: Path,
) -> None:
    script = tmp_path / "trial.py"
    script.write_text(TRIAL, encoding="utf-8")
    installed = [argument for name in PACKAGES for argument in ("--with", name)]
    uv = str(Path(sys.executable).parent / "uv")
    run = [uv, "run", "--no-project", "--quiet", "--python", sys.executable, *installed, "python", "-W", "ignore"]
    names = json.dumps([*EXPECTED, *REFUSED])

    done = subprocess.run(
        [*run, str(script), str(ROOT / "src/metricgate/execution"), names],
        cwd=tmp_path,
        check=False,
        capture_output=True,
        text=True,
    )

    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout.splitlines()[-1])
    assert {name: said[name] for name in EXPECTED} == EXPECTED
    for name, reason in REFUSED.items():
        assert said[name].startswith(reason), said[name]
        assert "joblib.dump(model, 'model.joblib')" in said[name]
