"""Which framework trains the model, and the lines that write a predictions file with it."""

import re
from collections.abc import Iterable
from pathlib import Path

LINES = Path(__file__).parent / "prediction_lines"
MAX_FILES = 60
MAX_BYTES = 200_000
# The first framework that a file imports decides: Lightning imports PyTorch, and XGBoost is used beside scikit-learn.
IMPORTS = (
    ("language-model", ("openai", "anthropic", "litellm", "langchain", "vllm", "ollama")),
    ("hugging-face", ("transformers", "datasets")),
    ("lightning", ("lightning", "pytorch_lightning")),
    ("pytorch", ("torch",)),
    ("xgboost", ("xgboost",)),
    ("scikit-learn", ("sklearn", "lightgbm", "catboost")),
)
USUAL = "scikit-learn"
_IMPORT = re.compile(r"^[\s\"]*(?:import|from)\s+([A-Za-z_]\w*)", re.MULTILINE)


def find_framework(folder: Path, files: Iterable[str]) -> str | None:
    """Return the framework that the project's scripts and notebooks import; None where there is no known one."""
    scripts = [name for name in files if name.endswith((".py", ".ipynb"))][:MAX_FILES]
    imported = {module for name in scripts for module in _IMPORT.findall(_read_start(folder / name))}
    return next((name for name, modules in IMPORTS if imported & set(modules)), None)


def _read_start(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return file.read(MAX_BYTES).decode(errors="replace")
    except OSError:
        return ""


def show_lines(framework: str | None) -> str:
    """Return the lines of Python that write a predictions file."""
    return (LINES / f"{framework or USUAL}.txt").read_text(encoding="utf-8")
