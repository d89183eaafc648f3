"""Writes promptfoo's configuration and runs it. Arguments: folder, promptfoo's entry point."""

import json
import os
import subprocess
import sys
from pathlib import Path

HERE, FOLDER, ENTRY = Path(__file__).parent.absolute(), Path(sys.argv[1]).absolute(), sys.argv[2]
PROMPT = sys.argv[3] if len(sys.argv) > 3 else "{{question}}"
QUESTIONS = json.loads((HERE / "questions.json").read_text(encoding="utf-8"))
FOLDER.mkdir(parents=True, exist_ok=True)
config = {
    "description": "arithmetic",
    "prompts": [PROMPT],
    "providers": [f"file://{HERE / 'promptfoo_provider.cjs'}"],
    "tests": [
        {
            "description": row["id"],
            "vars": {"question": row["question"], "answer": row["answer"]},
            "metadata": {"topic": row["topic"]},
            "assert": [
                {"type": "contains", "value": row["answer"], "metric": "correct"},
                {"type": "latency", "threshold": 60000, "metric": "fast"},
            ],
        }
        for row in QUESTIONS
    ],
}
(FOLDER / "promptfooconfig.json").write_text(json.dumps(config), encoding="utf-8")
quiet = {
    "PROMPTFOO_DISABLE_TELEMETRY": "1",
    "PROMPTFOO_DISABLE_UPDATE": "1",
    "PROMPTFOO_CONFIG_DIR": str(FOLDER / "home"),
}
subprocess.run(
    [
        "node",
        ENTRY,
        "eval",
        "-c",
        "promptfooconfig.json",
        "--repeat",
        "3",
        "--no-cache",
        "-o",
        "out.json",
        "-o",
        "out.jsonl",
        "--no-progress-bar",
        "--no-table",
        "-j",
        "1",
    ],
    cwd=FOLDER,
    env=os.environ | quiet,
    check=False,
)
