"""One HTTP POST to a carrier, and what its outcome proves."""

from collections.abc import Mapping

import httpx
import stamina

from services.dispatch.gateways.port import Outcome, Result

# Until a connection stands nothing was sent; once bytes may have left, only the carrier knows.
_NOTHING_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol)
_TRIES = 3
_CONNECT_S = 2.0
_LARGEST_ANSWER = 1_048_576
FORM = {"content-type": "application/x-www-form-urlencoded; charset=utf-8"}
JSON = {"content-type": "application/json"}


async def post(
    http: httpx.AsyncClient, url: str, content: bytes, headers: Mapping[str, str], timeout_s: float
) -> Result[bytes]:
    """Send exactly these bytes. A failure to connect is tried again at once, three times in all; nothing else is."""
    try:
        async for attempt in stamina.retry_context(
            on=_NOTHING_SENT, attempts=_TRIES, wait_initial=0.1, wait_max=1.0, timeout=None
        ):
            with attempt:
                answer = await http.post(
                    url, content=content, headers=dict(headers), timeout=httpx.Timeout(timeout_s, connect=_CONNECT_S)
                )
    except _NOTHING_SENT as error:
        return Result(Outcome.NOT_SENT, code=type(error).__name__)
    except httpx.HTTPError as error:
        return Result(Outcome.UNKNOWN, code=type(error).__name__)
    return _read(answer)


def _read(answer: httpx.Response) -> Result[bytes]:
    if answer.status_code == httpx.codes.TOO_MANY_REQUESTS:
        wait = answer.headers.get("retry-after", "")
        return Result(Outcome.RATE_LIMITED, code="http_429", retry_after_s=float(wait) if wait.isdigit() else None)
    if not answer.is_success or len(answer.content) > _LARGEST_ANSWER:
        return Result(Outcome.UNKNOWN, code=f"http_{answer.status_code}")
    return Result(Outcome.OK, answer.content)
