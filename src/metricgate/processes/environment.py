"""The environment that code from the repository may see."""

import re
from collections.abc import Mapping

# Tokens and inputs of ours, credentials of the runner, and the files that set its outputs and variables. What DVC
# needs to reach its remote (AWS_*, GOOGLE_*, AZURE_*, proxies) stays: the pipeline of a repository needs it too.
_WITHHELD = re.compile(
    r"(?:INPUT_|ACTIONS_|STATE_|METRICGATE_TOKEN).*"
    r"|GITHUB_TOKEN|GH_TOKEN|GH_ENTERPRISE_TOKEN|GITHUB_ENTERPRISE_TOKEN"
    r"|GITHUB_(?:ENV|OUTPUT|PATH|STATE|STEP_SUMMARY)"
    # Set by Git hooks and by whoever calls us from one: they would turn every command towards another repository.
    r"|GIT_(?:DIR|WORK_TREE|INDEX_FILE|PREFIX|OBJECT_DIRECTORY|COMMON_DIR)"
)


def scrub_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """Return ``environ`` without what repository code must not see, and with DVC's analytics off."""
    kept = {name: value for name, value in environ.items() if not _WITHHELD.fullmatch(name)}
    return {**kept, "DVC_NO_ANALYTICS": "1", "PYTHONUNBUFFERED": "1"}
