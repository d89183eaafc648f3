"""Why a service did not take what was sent, without its address: addresses of webhooks are secrets."""

from enum import StrEnum

from metricgate.errors import PublishError


class ServiceTrouble(StrEnum):
    """Why a request did not do what it should."""

    UNUSABLE = "unusable"  # the address or a header is malformed: nothing was sent
    UNREACHABLE = "unreachable"  # no connection: nothing was sent
    TIMED_OUT = "timed out"  # the whole call took too long: may have been done
    BROKEN = "broken"  # the connection ended before the answer did: may have been done
    REDIRECTED = "redirected"  # never followed: another host must not get what was meant for this one
    RATE_LIMITED = "rate limited"  # refused before anything was done
    REFUSED = "refused"  # a 4xx status
    UNAVAILABLE = "unavailable"  # a 5xx status: may have been done


class ServiceError(PublishError):
    """A service did not take a request.

    Attributes
    ----------
    status : 0 where there was no answer
    answer : the start of what the service wrote; untrusted
    retry_after_s : the pause that it asked for, if any
    """

    usual_topic = "a-service-refuses-or-does-not-answer"

    def __init__(
        self,
        service: str,
        problem: str,
        *,
        trouble: ServiceTrouble,
        status: int = 0,
        answer: str = "",
        retry_after_s: float | None = None,
    ) -> None:
        told = f": {answer}" if answer else ""
        super().__init__(f"{service} {problem}{told}.", expected="a successful answer.", fix=_FIX[trouble])
        self.trouble = trouble
        self.status = status
        self.answer = answer
        self.retry_after_s = retry_after_s

    @property
    def may_be_done(self) -> bool:
        """Whether the service may have done what was asked all the same."""
        return self.trouble in {ServiceTrouble.TIMED_OUT, ServiceTrouble.BROKEN, ServiceTrouble.UNAVAILABLE}


_FIX = {
    ServiceTrouble.UNUSABLE: "Correct the address: http:// or https://, a host, and no blank or line break in it.",
    ServiceTrouble.UNREACHABLE: "Check the address, the proxy, and that the runner can reach the service.",
    ServiceTrouble.TIMED_OUT: "Re-run the job once the service answers again.",
    ServiceTrouble.BROKEN: "Re-run the job once the service answers again.",
    ServiceTrouble.REDIRECTED: "Set the address to the one that the service redirects to.",
    ServiceTrouble.RATE_LIMITED: "Re-run the job later.",
    ServiceTrouble.REFUSED: "Check the address and the secret.",
    ServiceTrouble.UNAVAILABLE: "Re-run the job once the service is available again.",
}
