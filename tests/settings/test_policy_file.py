import pytest

from metricgate.errors import ConfigurationError
from metricgate.settings.policy import Policy
from metricgate.settings.policy_file import MAX_SHOWN, read_policy, read_policy_file

WHOLE = """\
predictions:
  path: eval/predictions.parquet
  id: customer_id
  label: churned
  score: churn_probability
  positive: Yes
  slices: [contract, senior_citizen]
confidence: 0.95
anchor: {revision: v1.0.0, max_drop: {roc_auc: 0.03}}
on_inconclusive: warn
gates:
  - {metric: accuracy, min: 0.78}
  - {metric: f1, slices: [contract], max_drop: 0.05}
  - {metric: log_loss, max_increase: 0.02, role: guardrail}

  - metric: sum(cost)/sum(orders)
    max_increase: 3%
  - {metric: "metrics.json:train_seconds", max_increase: 20%}
pipeline:
  command: dvc repro
evaluation: {command: python src/evaluate.py, model: models/model.pkl, data: data/test.csv}
"""


def test_a_policy_keeps_its_words_as_they_are_written() -> None:
    spec = read_policy(WHOLE, origin="metricgate.yaml").prediction_sets[""]

    assert spec.positive == "Yes"
    assert spec.id == ("customer_id",)


def test_gates_know_their_lines() -> None:
    assert read_policy_file(WHOLE, origin="metricgate.yaml").gate_lines == (12, 13, 14, 16, 18)


@pytest.mark.parametrize("text", ["", "# nothing yet\n", "predictions:\ngates:\npipeline:\nanchor:\n", "{}"])
def test_a_file_without_content_is_a_policy_without_rules(text: str) -> None:
    assert read_policy(text, origin="metricgate.yaml") == Policy()


def test_classes_may_be_numbers() -> None:
    spec = read_policy("predictions: {path: p, label: y, scores: {0: a, 1: b}}", origin="m.yaml").prediction_sets[""]

    assert spec.scores == {"0": "a", "1": "b"}


def test_dates_stay_text() -> None:
    spec = read_policy("predictions: {path: p, positive: 2024-01-01}", origin="m.yaml").prediction_sets[""]

    assert spec.positive == "2024-01-01"


PREDICTIONS = "predictions: {path: p, label: y, score: s, slices: [plan]}\n"
TWO_SETS = "predictions: {golden: {path: p}, recent: {path: q}}\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("gates:\n  - {metric: f1, max_dorp: 0.1}", "m.yaml:2: gates[0].max_dorp is not a key; did you mean max_drop?"),
        ("gatess: []", "m.yaml:1: gatess is not a key; did you mean gates?"),
        (
            "predictions:\n  golden:\n    path: p\n    labl: y",
            "m.yaml:4: predictions.golden.labl is not a key; did you",
        ),
        ("predictions: {label: y}", "m.yaml:1: predictions.path is missing."),
        ("predictions: {path: p, label: 1}", "predictions.label must be text, found 1; put it in quotes."),
        ("predictions: {path: p, label: y, prediction: y}", "names y both as label and as what the model answered."),
        ("predictions: {path: p, score: s, scores: {a: b}}", "predictions has both score and scores"),
        ("predictions: {path: p, task: score, classes: [a, b]}", "has the task score, but scores and classes"),
        ("predictions: {path: p, classes: [a]}", "predictions.classes must have at least two values"),
        ("predictions: {path: p, positive: [1]}", "predictions.positive must be a single value"),
        ("predictions: {../x: {path: p}}", "predictions names a set '../x'"),
        ("predictions: [a]", "predictions must be a mapping of keys to values, found ['a']."),
        ("confidence: 95", "m.yaml:1: confidence must be less than 1, found 95; did you mean 0.95?"),
        ("confidence: 95%", "confidence must be a number, found '95%'; did you mean 0.95?"),
        ("confidence: true", "confidence must be a number, found true or false."),
        ("on_inconclusive: maybe", "on_inconclusive must be 'warn', 'ask', 'fail' or 'pass', found 'maybe'."),
        ("anchor: {revision: v1}", "anchor needs max_drop or max_increase"),
        ("anchor: {max_drop: {a: 1}}", "has an anchor without a revision, and no release that it could be"),
        ("release: v1", "release must be a mapping of keys to values, found 'v1'."),
        ("pipeline: {python_version: 3.10}", "pipeline.python_version must be text, found 3.1; put it in quotes."),
        ("gates: f1", "gates must be a list, found 'f1'."),
        ("gates:\n  - f1", "m.yaml:2: gates[0] must be a mapping of keys to values, found 'f1'."),
        (PREDICTIONS + "gates:\n  - {metric: f1}", "m.yaml:3: gates[0] a gate needs one of min, max"),
        (PREDICTIONS + "gates:\n  - {metric: f1, min: 1, max_drop: 1}", "a gate has one rule, found min and max_drop"),
        (PREDICTIONS + "gates:\n  - {metric: f1, max_drop: -1}", "gates[0].max_drop must not be negative"),
        (PREDICTIONS + "gates:\n  - {metric: f1, max_drop: .nan}", "gates[0].max_drop must be a number such as 0.01"),
        (PREDICTIONS + "gates:\n  - {metric: f1, max_drop: .inf}", "gates[0].max_drop must be a number such as 0.01"),
        (PREDICTIONS + "gates:\n  - {metric: f1, max_drop: some%}", "gates[0].max_drop must be a number such as 0.01"),
        (PREDICTIONS + "gates:\n  - {metric: f1, min: .nan}", "gates[0].min must be a finite number, found nan."),
        (PREDICTIONS + "gates:\n  - {metric: f1, min: yes}", "gates[0].min must be a number, found 'yes'."),
        (PREDICTIONS + "gates:\n  - {metric: f1, min: 0.9, max: 0.1}", "gates[0].min is 0.9, more than max"),
        (PREDICTIONS + "gates:\n  - {metric: f1, set: gold, min: 0}", "names the prediction set 'gold', but none is"),
        (
            PREDICTIONS + "gates:\n  - {metric: f1, slices: plam, min: 0}",
            "names 'plam', which is not declared; did you",
        ),
        (PREDICTIONS + "gates:\n  - {metric: 'a.json:b', slices: plan, min: 0}", "a.json:b is one number in a metrics"),
        (
            TWO_SETS + "gates:\n  - {metric: f1, set: goldne, min: 0}",
            "'goldne', which is not declared; did you mean gold",
        ),
        (
            TWO_SETS + "gates:\n  - {metric: f1, min: 0}",
            "gates[0] needs set: with one of the prediction sets golden, re",
        ),
        ("gates:\n  - {metric: f1, min: 0}", "m.yaml:2: gates[0].metric is f1, which is computed from predictions"),
    ],
)
def test_a_mistake_is_named_with_its_place(text: str, message: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        read_policy(text, origin="m.yaml")
    assert message in caught.value.what


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: [1\nb: 2", "m.yaml:2: this is not valid YAML"),
        ("\ta: 1", "m.yaml:1: this is not valid YAML: found character '\\t'"),
        ("a: 1\na: 2", "m.yaml:2: 'a' is given twice; the first time in line 1."),
        ("a: 1\n---\nb: 2", "m.yaml:2: this is not valid YAML"),
        ("a: !!python/object/apply:os.getcwd []", "m.yaml:1: this is not valid YAML: the tag tag:yaml.org,2002:python/"),
        ("? [1, 2]\n: 3", "m.yaml:1: this is not valid YAML: a key must be a word or a whole number."),
        ("<<: {a: 1}", "m.yaml:1: this is not valid YAML: merge keys (<<) are not known in YAML 1.2."),
        ("true: 1", "m.yaml:1: True is not a key; put a name in quotes."),
        ("- a", "m.yaml:1: the file holds a list."),
        ("words", "m.yaml:1: the file holds a single value."),
        ("a: &x [*x]", "more than 50 levels"),
        pytest.param("a: " + "[" * 90_000, "more than 50 levels", id="deep"),
        pytest.param("a: " + "x" * 100_001, "larger than 100,000 characters", id="large"),
        pytest.param("a: &a [" + "1," * 200 + "]\nb: &b [" + "*a," * 200 + "]\nc: [" + "*b," * 200 + "]", "more than 20,000 values", id="aliases"),
        ("a: \x00", "m.yaml"),
    ],
)  # fmt: skip
def test_what_is_no_policy_at_all_is_refused(text: str, message: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        read_policy(text, origin="m.yaml")
    assert message in caught.value.what


def test_all_mistakes_are_named_up_to_a_few_in_the_order_of_the_file() -> None:
    text = "".join(f"key{number}: 1\n" for number in range(MAX_SHOWN + 2))

    with pytest.raises(ConfigurationError, match=r"m\.yaml:1: key0 .*m\.yaml:5: key4 .*; and 2 more\."):
        read_policy(text, origin="m.yaml")
