"""Runs in Inspect's own environment: the questions with answers that are written down, three epochs. Arguments: folder, format."""

import json
import sys
from pathlib import Path

from inspect_ai import Task
from inspect_ai import eval as evaluate
from inspect_ai.dataset import MemoryDataset, Sample
from inspect_ai.model import ModelOutput
from inspect_ai.scorer import includes, match
from inspect_ai.solver import solver

FOLDER, FORMAT = sys.argv[1:3]
QUESTIONS = json.loads((Path(__file__).parent / "questions.json").read_text(encoding="utf-8"))
GIVEN = {row["id"]: row["given"] for row in QUESTIONS}


@solver
def answer_as_written():
    async def solve(state, generate):
        state.output = ModelOutput.from_content(
            "mockllm/model", f"The answer is {GIVEN[state.sample_id][state.epoch - 1]}"
        )
        state.messages.append(state.output.message)
        return state

    return solve


samples = [
    Sample(
        id=row["id"],
        input=row["question"],
        target=row["answer"],
        metadata={"topic": row["topic"], "passage": row["passage"]},
    )
    for row in QUESTIONS
]
task = Task(
    dataset=MemoryDataset(samples, name="arithmetic"),
    solver=answer_as_written(),
    scorer=[match(numeric=True), includes()],
    name="arithmetic",
    version=2,
    epochs=3,
)
(log,) = evaluate(task, model="mockllm/model", log_dir=FOLDER, log_format=FORMAT, display="none")
print(log.location, log.status)
