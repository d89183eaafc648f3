"""Asks every question three times and writes the log that Inspect would write. THE ANSWERS ARE SIMULATED: no model is asked.

A real project calls Inspect here, or promptfoo: https://github.com/metricgate/metricgate/blob/v1/docs/evaluations.md
"""

import hashlib
import json
from pathlib import Path

ANSWERS = 3
PRICE = 0.000002  # of a token
HARD = {"prices": 0.05, "discounts": 0.2, "distances": 0.1, "stock": 0.15}  # how often a careful answer is wrong


def main() -> None:
    prompt = Path("prompts/answer.txt").read_text(encoding="utf-8").strip()
    questions = [json.loads(line) for line in Path("evals/questions.jsonl").read_text(encoding="utf-8").splitlines()]
    samples = [answer(question, turn, prompt) for question in questions for turn in range(1, ANSWERS + 1)]
    log = {
        "version": 2,
        "status": "success",
        "eval": {
            "task": "questions",
            "model": "simulated",
            "dataset": {"name": "questions"},
            "config": {"epochs": ANSWERS},
            "scorers": [{"name": "match", "options": {"numeric": True}}],
        },
        "results": {"total_samples": len(samples)},
        "samples": samples,
    }
    path = Path("logs/questions.json")
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(log), encoding="utf-8")


def answer(question: dict[str, str], turn: int, prompt: str) -> dict[str, object]:
    """Return a sample with a simulated answer: always the same one to the same prompt, question and turn."""
    is_careful = "step by step" in prompt
    trouble = HARD[question["topic"]] * (1 if is_careful else 2.2)
    ability = 1 - trouble * 2 * draw("difficulty", question["id"])
    is_right = draw(prompt, question["id"], turn) < ability
    number = int(question["answer"])
    given = number if is_right else number + 1 + int(9 * draw("error", prompt, question["id"], turn))
    text = f"[simulated] Step by step, this gives\n{given}" if is_careful else f"[simulated] {given}"
    tokens = (110 if is_careful else 35) + int(30 * draw("length", prompt, question["id"], turn))
    return {
        "id": question["id"],
        "epoch": turn,
        "input": question["question"],
        "target": question["answer"],
        "metadata": {"topic": question["topic"]},
        "output": {"completion": text},
        "scores": {"match": {"value": "C" if is_right else "I", "answer": str(given)}},
        "total_time": round(tokens / 60, 2),
        "model_usage": {"simulated": {"total_tokens": tokens, "total_cost": tokens * PRICE}},
    }


def draw(*parts: object) -> float:
    """Return a number in [0, 1) that depends on the parts alone."""
    digest = hashlib.blake2b(repr(parts).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") / 2**64


if __name__ == "__main__":
    main()
