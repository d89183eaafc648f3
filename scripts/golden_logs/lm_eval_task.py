"""Runs in lm-eval's own environment: the questions with answers that are written down, two filters. Argument: folder."""

import json
import sys
from pathlib import Path

import yaml

FOLDER = Path(sys.argv[1]).absolute()
HERE = Path(__file__).parent
QUESTIONS = json.loads((HERE / "questions.json").read_text(encoding="utf-8"))
FOLDER.mkdir(parents=True, exist_ok=True)
rows = FOLDER / "rows.jsonl"
rows.write_text("".join(json.dumps(row) + "\n" for row in QUESTIONS), encoding="utf-8")
task = {
    "task": "small_sums",
    "dataset_path": "json",
    "dataset_name": None,
    "dataset_kwargs": {"data_files": {"test": str(rows)}},
    "test_split": "test",
    "output_type": "generate_until",
    "doc_to_text": "{{question}} Answer:",
    "doc_to_target": "{{answer}}",
    "generation_kwargs": {"until": ["\n"], "max_gen_toks": 16},
    "repeats": 3,
    "filter_list": [
        {"name": "first", "filter": [{"function": "take_first"}]},
        {"name": "majority", "filter": [{"function": "majority_vote"}, {"function": "take_first"}]},
    ],
    "metric_list": [{"metric": "exact_match", "aggregation": "mean", "higher_is_better": True}],
    "metadata": {"version": 1.0},
}
(FOLDER / "small_sums.yaml").write_text(yaml.safe_dump(task), encoding="utf-8")

import lm_eval
from lm_eval.api.model import LM
from lm_eval.loggers import EvaluationTracker
from lm_eval.tasks import TaskManager


class Written(LM):
    """Answers what is written down, in turn for each repeat."""

    def __init__(self):
        super().__init__()
        self.turns = {row["question"]: iter(row["given"]) for row in QUESTIONS}

    def generate_until(self, requests, disable_tqdm=False):
        return [next(self.turns[request.args[0].removesuffix(" Answer:")]) for request in requests]

    def loglikelihood(self, requests, disable_tqdm=False):
        raise NotImplementedError

    loglikelihood_rolling = loglikelihood


tracker = EvaluationTracker(output_path=str(FOLDER / "out"))
results = lm_eval.simple_evaluate(
    model=Written(),
    model_args="pretrained=written",
    tasks=["small_sums"],
    task_manager=TaskManager(include_path=str(FOLDER)),
    log_samples=True,
    evaluation_tracker=tracker,
    bootstrap_iters=0,
)
samples = results.pop("samples")
tracker.save_results_aggregated(results=results, samples=samples)
for name in results["configs"]:
    tracker.save_results_samples(task_name=name, samples=samples[name])
print(json.dumps(results["results"]))
