"""What can be made to go wrong, and whether the operation has been done by then."""

from dataclasses import dataclass
from enum import StrEnum


class Fault(StrEnum):
    COMMIT_THEN_TIMEOUT = "commit_then_timeout"
    DROP_BEFORE_COMMIT = "drop_before_commit"
    HTTP_500 = "http_500"
    COMMIT_THEN_HTTP_500 = "commit_then_http_500"
    HTML_BODY = "html_body"
    COMMIT_THEN_HTML_BODY = "commit_then_html_body"
    GBK_BODY = "gbk_body"
    COMMIT_THEN_GBK_BODY = "commit_then_gbk_body"
    SLOW = "slow"
    THROTTLE = "throttle"
    BAD_SIGNATURE = "bad_signature"
    UNKNOWN_CODE = "unknown_code"
    COMMIT_THEN_UNKNOWN_CODE = "commit_then_unknown_code"
    BUSINESS_ERROR = "business_error"
    BALANCE_SHORT = "balance_short"
    """A carrier's account has not enough money for the order."""
    STALE_QUOTE = "stale_quote"
    CANCEL_LOST_TO_PICKUP = "cancel_lost_to_pickup"
    """The rider takes the goods just before the cancellation arrives."""
    DUPLICATE = "duplicate"
    """Of a notify: it is sent three times."""
    LATE = "late"
    """Of a notify: it is held back for `seconds`, and so overtaken by what happens meanwhile."""

    @property
    def acts(self) -> bool:
        """Whether the operation is carried out although its answer is spoiled."""
        return self in _ACTING


_ACTING = frozenset(
    {
        Fault.COMMIT_THEN_TIMEOUT,
        Fault.COMMIT_THEN_HTTP_500,
        Fault.COMMIT_THEN_HTML_BODY,
        Fault.COMMIT_THEN_GBK_BODY,
        Fault.COMMIT_THEN_UNKNOWN_CODE,
        Fault.SLOW,
        Fault.BAD_SIGNATURE,
    }
)


@dataclass(frozen=True, slots=True)
class FaultScript:
    """One scripted fault: `times` occurrences of `operation` (`*` = any), each hit with `probability`.

    `seconds` is how long slow answers and hung connections take; `code` is what business_error answers.
    """

    operation: str
    fault: Fault
    times: int
    probability: float
    seconds: float
    code: str
