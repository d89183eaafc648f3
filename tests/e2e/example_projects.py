"""The repositories that the example workflows and policies are written for, each with a branch that is worse."""

import sys
from pathlib import Path

from tests.starter.shapes import PIPELINE, TRAIN, Repository, add_dvc, create_repository

POLICIES = Path(__file__).parents[2] / "examples/policies"
GATE = """\
predictions: {path: out/predictions.csv, id: row_id, label: label, score: score, slices: [region]}
gates:
  - {metric: roc_auc, max_drop: 0.01}
"""
# What the policies name: prices by region, and a judge's scores of answers. `noise.txt` makes both worse.
PRICES = """\
import csv, json, pathlib, random
noise = int(pathlib.Path("noise.txt").read_text())
draw = random.Random(7)
pathlib.Path("{folder}").mkdir(exist_ok=True)
with open("{folder}/predictions.csv", "w", newline="") as file:
    writer = csv.writer(file)
    writer.writerow(["{id}", "price", "predicted_price", "region"])
    for number in range(600):
        price = round(100 + 200 * draw.random(), 2)
        writer.writerow([number, price, round(price + draw.gauss(0, noise), 2), "north" if number % 3 else "south"])
"""
SECONDS = 'json.dump({"train_seconds": 1.0}, open("out/metrics.json", "w"))\n'
ANSWERS = """\
import json, pathlib, random, sys
noise = int(pathlib.Path("noise.txt").read_text())
draw = random.Random(7)
path = pathlib.Path(sys.argv[sys.argv.index("--output") + 1])
path.parent.mkdir(exist_ok=True)
with path.open("w") as file:
    for number in range(600):
        score = max(0.0, min(1.0, round(0.9 - noise / 100 + 0.1 * draw.gauss(0, 1), 3)))
        row = {"prompt_id": number, "judge_score": score, "language": ["en", "de"][number % 2],
               "topic": ["billing", "travel"][number // 300], "conversation_id": number // 3}
        file.write(json.dumps(row) + "\\n")
"""
# Three answers to each of 200 questions; `noise.txt` makes more of them wrong.
WRITTEN = """\
import json, pathlib, random
noise = int(pathlib.Path("noise.txt").read_text())
draw = random.Random(7)
answers = [
    (number, turn, draw.random() > noise / 50, ["billing", "travel"][number % 2])
    for number in range(200)
    for turn in range(3)
]
"""
WRITE_INSPECT = """\
path = pathlib.Path("logs/support.eval")
path.parent.mkdir(exist_ok=True)
samples = [
    {"id": number, "epoch": turn + 1, "input": f"Question {number}", "target": "right",
     "metadata": {"topic": topic}, "output": {"completion": f"{number}: {right}"}, "total_time": 1.0,
     "model_usage": {"mock/model": {"total_tokens": 300}},
     "scores": {"model_graded_qa": {"value": "C" if right else "I"}}}
    for number, turn, right, topic in answers
]
log = {"version": 2, "status": "success", "eval": {"task": "support", "model": "mock/model"}, "samples": samples}
path.write_text(json.dumps(log))
"""
WRITE_PROMPTFOO = """\
path = pathlib.Path("eval/results.json")
path.parent.mkdir(exist_ok=True)
rows = [
    {"testIdx": index, "promptIdx": 0, "provider": {"id": "mock"}, "vars": {"question": f"Question {number}"},
     "testCase": {"metadata": {"topic": topic}}, "success": right, "score": float(right), "cost": 0.001,
     "namedScores": {"correct": float(right)}, "response": {"output": f"{number}: {right}"}, "latencyMs": 900}
    for index, (number, turn, right, topic) in enumerate(answers)
]
path.write_text(json.dumps({"evalId": "eval-mock", "results": {"version": 3, "results": rows}}))
"""


def read_policy_example(name: str) -> str:
    return (POLICIES / f"{name}.yaml").read_text(encoding="utf-8")


def make_dvc(folder: Path) -> Repository:
    repository = create_repository(folder / "repository", {"dvc.yaml": PIPELINE, "metricgate.yaml": GATE})
    add_dvc(repository, folder / "remote")
    return _branch_off(repository)


def make_model_tests(folder: Path) -> Repository:
    """The team's tests read what the pipeline wrote; without the worse model they would pass."""
    test = "import json\n\ndef test_accuracy():\n    assert json.load(open('out/metrics.json'))['accuracy'] > 0.9\n"
    files = {
        "dvc.yaml": PIPELINE,
        "metricgate.yaml": f"{GATE}tests: pytest tests/model\n",
        "tests/model/test_model.py": test,
    }
    repository = create_repository(folder / "repository", files)
    add_dvc(repository, folder / "remote")
    return _branch_off(repository)


def make_serving(folder: Path) -> Repository:
    """What the server reads is what it answers: the example is about the step, not about a model."""
    serving = "serving: {url: 'http://model:8080/invocations', data: out/predictions.csv, features: [score]}\n"
    files = {"dvc.yaml": PIPELINE, "metricgate.yaml": GATE + serving}
    repository = create_repository(folder / "repository", files)
    add_dvc(repository, folder / "remote")
    return _branch_off(repository)


def make_own_dependencies(folder: Path) -> Repository:
    """The policy with this Python instead of 3.12; the stage refuses to run in any other environment."""
    policy = read_policy_example("own-dependencies")
    assert '"3.12"' in policy
    script = "import sys\nassert 'environments' in sys.prefix, sys.prefix\n" + TRAIN.format(
        rows=600, predictions="predictions.csv"
    )
    for before, after in {
        '"row_id", "label", "score"': '"customer_id", "churned", "churn_probability"',
        "out": "eval",
    }.items():
        assert before in script
        script = script.replace(before, after)
    files = {
        "train.py": script,
        "requirements.txt": "# Nothing but the standard library.\n",
        "metricgate.yaml": policy.replace('"3.12"', f'"{sys.version_info[0]}.{sys.version_info[1]}"'),
        "dvc.yaml": PIPELINE.replace("out/", "eval/"),
    }
    repository = create_repository(folder / "repository", files)
    repository.must("dvc", "init", "--quiet")
    return _branch_off(repository)


def make_script(folder: Path) -> Repository:
    files = {
        "train.py": PRICES.format(folder="out", id="row") + SECONDS,
        "metricgate.yaml": read_policy_example("plain-train"),
        "requirements.txt": "# Nothing but the standard library.\n",
        ".gitignore": "out/\n",
    }
    return _branch_off(create_repository(folder / "repository", files))


def make_monorepo(folder: Path) -> Repository:
    pricing = {
        "train.py": PRICES.format(folder="eval", id="listing_id") + SECONDS.replace("out/", "eval/"),
        "noise.txt": "5\n",
        "metricgate.yaml": read_policy_example("monorepo"),
        "dvc.yaml": PIPELINE.replace("out/", "eval/"),
    }
    churn = {
        "train.py": TRAIN.format(rows=600, predictions="predictions.csv"),
        "noise.txt": "5\n",
        "metricgate.yaml": GATE,
        "dvc.yaml": PIPELINE,
    }
    files = {f"models/pricing/{path}": text for path, text in pricing.items()}
    files |= {f"models/churn/{path}": text for path, text in churn.items()}
    repository = create_repository(folder / "repository", files)
    add_dvc(repository, folder / "remote", "models/pricing/dvc.yaml", "models/churn/dvc.yaml")
    return _branch_off(repository)


def make_language_model(folder: Path) -> Repository:
    """The policy's command is `uv run --locked …`: a project with a lock, and a script that answers and judges."""
    project = '[project]\nname = "evals"\nversion = "1"\nrequires-python = ">=3.11"\n'
    files = {
        "evals/answer_and_judge.py": ANSWERS,
        "metricgate.yaml": read_policy_example("language-model"),
        "pyproject.toml": project,
        ".gitignore": "eval/\n.venv/\n",
    }
    repository = create_repository(folder / "repository", files)
    repository.must("uv", "lock", "--quiet", "--offline")
    return _branch_off(repository)


def make_inspect(folder: Path) -> Repository:
    """The policy's command asks through Inspect; here a script writes the log that Inspect would."""
    project = '[project]\nname = "evals"\nversion = "1"\nrequires-python = ">=3.11"\n'
    files = {
        "evals/ask.py": WRITTEN + WRITE_INSPECT,
        "metricgate.yaml": read_policy_example("inspect"),
        "pyproject.toml": project,
        ".gitignore": "logs/\n.venv/\n",
    }
    repository = create_repository(folder / "repository", files)
    repository.must("uv", "lock", "--quiet", "--offline")
    return _branch_off(repository)


def make_promptfoo(folder: Path) -> Repository:
    """The policy's command runs promptfoo; here a script writes the result that promptfoo would."""
    files = {
        "evals/ask.sh": f"exec {sys.executable} evals/ask.py\n",
        "evals/ask.py": WRITTEN + WRITE_PROMPTFOO,
        "metricgate.yaml": read_policy_example("promptfoo"),
        ".gitignore": "eval/\n",
    }
    return _branch_off(create_repository(folder / "repository", files))


def _branch_off(repository: Repository) -> Repository:
    """Commit the project on main, and on a branch what makes every model of it worse."""
    repository.commit("The project")
    repository.must("git", "switch", "--quiet", "--create", "worse")
    for path in repository.root.rglob("noise.txt"):
        path.write_text("25\n", encoding="utf-8")
    repository.commit("Worse models")
    return repository
