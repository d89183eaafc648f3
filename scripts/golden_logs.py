"""Writes the logs in tests/predictions/golden: each tool at two versions, in an environment of its own, with written answers.

``python scripts/golden_logs.py WORK [NAME …]``: environments and runs lie in the folder WORK, which may be kept. It
needs uv, and npm and Node for promptfoo. The scripts in golden_logs/ run inside the tools' environments.
"""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent.absolute()
GOLDEN = HERE.parent / "tests" / "predictions" / "golden"
SCRIPTS = HERE / "golden_logs"
PYTHON_TOOLS = {
    "inspect-0.3.285": ["inspect-ai==0.3.285"],
    "inspect-0.3.149": ["inspect-ai==0.3.149"],
    "lm-eval-0.4.13": ["lm-eval==0.4.13"],
    # What was current then: newer ones have lost names that this version imports.
    "lm-eval-0.4.9": ["lm-eval==0.4.9", "transformers<5", "datasets<4", "huggingface_hub<1", "torch"],
    "deepeval-4.3.1": ["deepeval==4.3.1"],
    "deepeval-3.9.9": ["deepeval==3.9.9"],
}
PROMPTFOO = {"promptfoo-0.121.20": "0.121.20", "promptfoo-0.118.0": "0.118.0"}
QUIET = {
    "HF_DATASETS_OFFLINE": "1",
    "DEEPEVAL_TELEMETRY_OPT_OUT": "1",
    "PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD": "1",
}


def main() -> None:
    work = Path(sys.argv[1]).absolute()
    for name in sys.argv[2:] or [*PYTHON_TOOLS, *PROMPTFOO]:
        run = work / "runs" / name
        shutil.rmtree(run, ignore_errors=True)
        run.mkdir(parents=True)
        if name in PROMPTFOO:
            run_promptfoo(work / name, PROMPTFOO[name], run, name)
        else:
            run_python_tool(make_python(work / name, PYTHON_TOOLS[name]), run, name)


def make_python(folder: Path, packages: list[str]) -> Path:
    """Return the Python of an environment with these packages."""
    python = folder / "bin" / "python"
    if not python.is_file():
        call("uv", "venv", "--quiet", "--python", "3.11", str(folder))
        call("uv", "pip", "install", "--quiet", "--python", str(python), *packages)
    return python


def run_python_tool(python: Path, run: Path, name: str) -> None:
    tool = name.rpartition("-")[0]
    if tool == "inspect":
        for kind in ("eval", "json"):
            call(str(python), str(SCRIPTS / "inspect_task.py"), str(run), kind, cwd=run)
            keep(next(run.glob(f"*.{kind}")), f"{name}.{kind}", run)
    elif tool == "lm-eval":
        call(str(python), str(SCRIPTS / "lm_eval_task.py"), str(run), cwd=run)
        for file in sorted(run.glob("out/*/*.json*")):
            keep(file, f"{name}/{file.name}", run)
    else:
        call(str(python), str(SCRIPTS / "deepeval_run.py"), str(run), cwd=run)
        keep(next(run.glob("test_run_*.json")), f"{name}.json", run)


def run_promptfoo(folder: Path, version: str, run: Path, name: str) -> None:
    package = folder / "node_modules" / "promptfoo"
    if not package.is_dir():
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "package.json").write_text('{"private": true}', encoding="utf-8")
        call("npm", "install", "--silent", f"promptfoo@{version}", cwd=folder)
    entry = json.loads((package / "package.json").read_text(encoding="utf-8"))["bin"]["promptfoo"]
    call(sys.executable, str(SCRIPTS / "promptfoo_run.py"), str(run), str(package / entry), cwd=run)
    for kind in ("json", "jsonl"):
        keep(run / f"out.{kind}", f"{name}.{kind}", run)


def keep(file: Path, name: str, run: Path) -> None:
    """Copy a log, without the folders of this machine where it is text."""
    target = GOLDEN / name
    target.parent.mkdir(parents=True, exist_ok=True)
    content = file.read_bytes()
    if file.suffix != ".eval":
        for folder, plain in ((run, b"run"), (SCRIPTS, b"scripts/golden_logs")):
            content = content.replace(str(folder).encode(), plain)
    target.write_bytes(content)
    print(target.relative_to(GOLDEN.parent.parent.parent), len(content))


def call(*command: str, cwd: Path | None = None) -> None:
    subprocess.run(command, cwd=cwd, env=os.environ | QUIET, check=True)


if __name__ == "__main__":
    main()
