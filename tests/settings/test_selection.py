"""Which policy judges."""

from pathlib import Path

import pytest

from metricgate.errors import ConfigurationError
from metricgate.settings.policy import Policy
from metricgate.settings.selection import choose_policy, read_policy_text, use_policy_file

STRICT = "predictions: {path: p.csv, label: y, score: s}\ngates: [{metric: accuracy, max_drop: 0.01}]\n"
SOFT = STRICT.replace("0.01", "0.5")


def codes(baseline: str | None, candidate: str | None, name: str = "main") -> set[str]:
    return {warning.code for warning in choose_policy(baseline, candidate, baseline_name=name).warnings}


def test_a_pull_request_cannot_lower_the_bar_that_judges_it() -> None:
    choice = choose_policy(STRICT, SOFT, baseline_name="main")

    assert str(choice.judging.gates[0].max_drop) == "0.01"
    assert choice.proposed is not None
    assert str(choice.proposed.gates[0].max_drop) == "0.5"
    assert codes(STRICT, SOFT) == {"policy_changed"}
    assert choice.origin == "metricgate.yaml at main"


def test_the_same_policy_is_not_worth_a_word() -> None:
    choice = choose_policy(STRICT, STRICT + "# a remark\n", baseline_name="main")

    assert choice.warnings == ()
    assert choice.proposed is None


def test_a_removed_policy_still_judges() -> None:
    choice = choose_policy(STRICT, None, baseline_name="main")

    assert choice.judging.gates
    assert choice.candidate.prediction_sets
    assert codes(STRICT, None) == {"policy_changed"}


def test_the_very_first_policy_is_the_candidates_and_it_says_so() -> None:
    assert choose_policy(None, STRICT, baseline_name="main").judging.gates
    assert codes(None, STRICT) == {"first_policy"}
    assert codes(None, STRICT, name="") == set()
    assert choose_policy(None, None, baseline_name="main").is_default


def test_an_invalid_baseline_policy_is_replaced_and_caps_the_verdict() -> None:
    choice = choose_policy("gates: 7\n", STRICT, baseline_name="main")

    assert choice.capped
    assert choice.judging.gates
    assert [warning.code for warning in choice.warnings] == ["invalid_baseline_policy"]


def test_an_invalid_candidate_policy_is_an_error_with_its_line() -> None:
    with pytest.raises(ConfigurationError, match=r"metricgate.yaml of the candidate:2"):
        choose_policy(STRICT, "confidence: 0.95\ngatse: []\n", baseline_name="main")


def test_a_working_file_judges_instead(tmp_path: Path) -> None:
    choice = use_policy_file(SOFT, STRICT, path="soft.yaml", baseline_name="main")

    assert str(choice.judging.gates[0].max_drop) == "0.5"
    assert choice.origin == "soft.yaml"
    assert [warning.text for warning in choice.warnings] == [
        "This run is judged by soft.yaml, which differs from metricgate.yaml at main (gates)."
    ]
    assert use_policy_file(STRICT, STRICT, path="same.yaml", baseline_name="main").warnings == ()
    with pytest.raises(ConfigurationError, match=r"policy .*nowhere.yaml cannot be read"):
        read_policy_text(tmp_path / "nowhere.yaml")


@pytest.mark.parametrize("name", sorted(Policy.model_fields))
def test_every_key_of_the_policy_is_named_when_it_changes(name: str) -> None:
    """A key that is added to the policy needs a line here, and a warning if it can decide a verdict."""
    text = {
        "release": f"{STRICT}release: {{revision: v1}}\n",
        "anchor": f"{STRICT}anchor: {{revision: v1, max_drop: {{accuracy: 0.5}}}}\n",
        "confidence": f"{STRICT}confidence: 0.6\n",
        "enforce": f"{STRICT}enforce: false\n",
        "proof": f"{STRICT}proof: {{model: model.pkl}}\n",
        "serving": f"{STRICT}serving: {{url: 'http://m:8080/x', data: t.csv}}\n",
        "tests": f"{STRICT}tests: pytest tests/model\n",
        "evaluation": f"{STRICT}evaluation: {{command: python e.py, model: m, data: d}}\n",
        "gates": SOFT,
        "mlflow": None,
        "noise": None,
        "notify": None,
        "on_inconclusive": f"{STRICT}on_inconclusive: pass\n",
        "pipeline": f"{STRICT}pipeline: {{command: 'true'}}\n",
        "predictions": STRICT.replace("score: s", "score: t"),
        "reproduce": f"{STRICT}reproduce: always\n",
        "retrain": None,
        "monitor": None,
    }[name]

    if text is not None:
        [warning] = choose_policy(STRICT, text, baseline_name="main").warnings
        assert warning.code in {"policy_changed", "own_policy_changed"}
        assert name in warning.text
        assert warning.location is not None


def test_the_keys_of_a_revisions_own_results_are_named_with_both_values() -> None:
    moved = STRICT.replace("p.csv, label: y", "q.csv, label: z") + "pipeline:\n  requirements: old.txt\n"

    [warning] = choose_policy(STRICT, moved, baseline_name="main").warnings

    assert warning.text == (
        "This change edits how its own results are made and read in metricgate.yaml: pipeline.requirements "
        "(not set → 'old.txt'), predictions.label ('y' → 'z'), predictions.path ('p.csv' → 'q.csv')."
    )
    assert warning.location is not None
    assert warning.location.line == 4
