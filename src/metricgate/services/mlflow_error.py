"""Why MLflow did not do what it was asked, in words: its own answers say little of what to do."""

import re

from metricgate.errors import PublishError
from metricgate.services.service_error import ServiceError, ServiceTrouble

MISSING = "RESOURCE_DOES_NOT_EXIST"
EXISTS = "RESOURCE_ALREADY_EXISTS"
INVALID = "INVALID_PARAMETER_VALUE"
DATABASE = "BAD_REQUEST"  # whatever the database did not take, such as a second row of one key
_CHANGED = ("must be in the 'active' state", "Changing param values")
_CODE = re.compile(r'"error_code"\s*:\s*"([A-Z_]{1,60})"')
_MESSAGE = re.compile(r'"message"\s*:\s*"((?:[^"\\]|\\.)*)')

_SET_USER = (
    "Set `mlflow-username` and `mlflow-password` for MLflow's basic authentication, or `mlflow-token` for Databricks "
    "and for proxies."
)


class MlflowError(PublishError):
    """MLflow did not do what it was asked. ``code`` is its own error code, empty where it gave none."""

    usual_topic = "mlflow-refuses-or-does-not-answer"

    def __init__(self, what: str, *, expected: str, fix: str, code: str = "", is_slow: bool = False) -> None:
        super().__init__(what, expected=expected, fix=fix)
        self.code = code
        self.is_slow = is_slow  # it was too slow, rather than wrong

    @property
    def is_missing(self) -> bool:
        """Whether what was asked for does not exist; of an alias, MLflow says so with another code."""
        return self.code == MISSING or (self.code == INVALID and "not found" in self.what)

    @property
    def is_conflict(self) -> bool:
        """Whether another job wrote the same at the same time, or deleted the run."""
        return self.code == DATABASE or (self.code == INVALID and any(words in self.what for words in _CHANGED))


def explain_refusal(error: ServiceError) -> MlflowError:
    """Return a failed request as an error that says what to do about it."""
    code = found[1] if (found := _CODE.search(error.answer)) else ""
    told = found[1] if (found := _MESSAGE.search(error.answer)) else error.answer
    is_slow = error.trouble is ServiceTrouble.TIMED_OUT
    for applies, what, expected, fix in _list_explanations(error, code, told):
        if applies:
            return MlflowError(what, expected=expected, fix=fix, code=code, is_slow=is_slow)
    return MlflowError(error.what, expected=error.expected, fix=error.fix, code=code, is_slow=is_slow)


def explain_page(content_type: str) -> MlflowError:
    """Return the error of an answer that is no JSON, as a login page or another web server gives."""
    shown = content_type.split(";", maxsplit=1)[0].strip()[:60] or "no content type"
    return MlflowError(
        f"MLflow's address answers with a page ({shown}), not with MLflow's data.",
        expected="MLflow's REST API, in JSON.",
        fix="Set `mlflow-uri` to the server's address without `/#/…`. If a login page stands before it, set "
        "`mlflow-token` to a token that the proxy accepts, or give the runner an address behind it.",
    )


def _list_explanations(error: ServiceError, code: str, told: str) -> tuple[tuple[bool, str, str, str], ...]:
    status, answer = error.status, error.answer.lower()
    return (
        (
            error.trouble is ServiceTrouble.REDIRECTED,
            f"MLflow's address redirects elsewhere (status {status}), most often to a login page.",
            "MLflow's REST API; MetricGate follows no redirect, and shows its secrets to no other host.",
            "Set `mlflow-uri` to the final address with https://, or `mlflow-token` to a token that the proxy accepts.",
        ),
        (
            error.trouble is ServiceTrouble.UNREACHABLE and "certificate" in error.what,
            "MLflow could not be reached: its certificate was refused.",
            "a certificate that the runner trusts.",
            "Give the runner your certificate authority: REQUESTS_CA_BUNDLE names a file with it.",
        ),
        (
            status == 401,
            "MLflow did not accept the user, or there is none (status 401).",
            "a user that the server knows.",
            _SET_USER,
        ),
        (
            status == 403 and ("invalid host" in answer or "rebinding" in answer),
            "MLflow refused the host name that it was called by (status 403, host validation).",
            "a host name that the server lists.",
            "Start it with `mlflow server --allowed-hosts HOST`, with the host of `mlflow-uri` (and its port).",
        ),
        (
            status == 403 and ("cross-origin" in answer or "cors" in answer),
            "MLflow refused the request as one of another web site (status 403).",
            "a request without an Origin header; a proxy has added one.",
            "Start it with `mlflow server --cors-allowed-origins ORIGIN`, or correct the proxy.",
        ),
        (
            status == 403,
            f"MLflow does not let this user do that (status 403): {told or 'no reason given'}.",
            "a user who may edit the experiment and the registered model.",
            "Grant EDIT on both to the user in `mlflow-username`, or that the token belongs to.",
        ),
        (
            status == 404 and not code,
            "There is no MLflow API at this address (status 404).",
            "the address of an MLflow server, such as https://mlflow.example.com.",
            "Correct `mlflow-uri`; with `--static-prefix`, the prefix is a part of it.",
        ),
        (
            status == 413,
            "MLflow's proxy refused a file as too large (status 413).",
            "a proxy that lets artifacts through.",
            "Raise its limit for bodies, such as nginx's `client_max_body_size`.",
        ),
        (
            bool(code),
            f"MLflow refused the request ({code}): {told or 'no reason given'}.",
            "a request that the server accepts.",
            "Read MLflow's reason; docs/mlflow.md lists those that were met.",
        ),
    )
