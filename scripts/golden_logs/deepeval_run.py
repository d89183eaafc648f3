"""Runs in DeepEval's own environment: the questions with a metric of our own, without a judge. Argument: folder."""

import json
import os
import sys
from pathlib import Path

os.environ["DEEPEVAL_RESULTS_FOLDER"] = sys.argv[1]
os.environ["DEEPEVAL_TELEMETRY_OPT_OUT"] = "1"

from deepeval import evaluate
from deepeval.metrics import BaseMetric
from deepeval.test_case import LLMTestCase

QUESTIONS = json.loads((Path(__file__).parent / "questions.json").read_text(encoding="utf-8"))


class Correct(BaseMetric):
    """1 for the expected answer, 0.5 for one that is off by ten, else 0."""

    threshold = 0.5
    async_mode = False
    include_reason = False

    def measure(self, case, *args, **kwargs):
        off = abs(int(case.actual_output) - int(case.expected_output))
        self.score = 1.0 if off == 0 else 0.5 if off == 10 else 0.0
        self.success = self.score >= self.threshold
        self.reason = f"off by {off}"
        return self.score

    async def a_measure(self, case, *args, **kwargs):
        return self.measure(case)

    def is_successful(self):
        return self.success

    @property
    def __name__(self):
        return "Correct"


cases = [
    LLMTestCase(
        name=row["id"],
        input=row["question"],
        actual_output=row["given"][0],
        expected_output=row["answer"],
        tags=[row["topic"]],
        **(
            {"additional_metadata": {"topic": row["topic"]}}
            if "additional_metadata" in LLMTestCase.model_fields
            else {}
        ),
    )
    for row in QUESTIONS
]
evaluate(test_cases=cases, metrics=[Correct()])
