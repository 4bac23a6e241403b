"""The breaker and what a transport's failure proves: a new order is held back, queries and cancels never are."""

import asyncio
import time
from collections.abc import Callable
from datetime import timedelta

import httpx
import pytest

from services.dispatch.domain.attempts import AttemptState
from services.dispatch.gateways.dada import DadaCarrier
from services.dispatch.gateways.dada_mapper import DadaAccount
from services.dispatch.gateways.guard import BREAKER_OPEN, Guarded
from services.dispatch.gateways.port import CancelReason, Outcome, ProviderRef, Reason
from tests.support.waiting import eventually
from tests.unit.dispatch.shipment import SHIPMENT

REF = ProviderRef("d" * 32)


def _carrier(answer: Callable[[httpx.Request], httpx.Response], threshold: int = 3) -> Guarded:
    client = httpx.AsyncClient(transport=httpx.MockTransport(answer))
    return Guarded(
        DadaCarrier(DadaAccount(), client), threshold=threshold, open_for=timedelta(seconds=30), calls_per_s=1000
    )


def _ok(_: httpx.Request) -> httpx.Response:
    return httpx.Response(200, json={"status": "success", "code": 0, "msg": "", "result": {"statusCode": 2}})


@pytest.mark.parametrize(
    ("failure", "outcome"),
    [
        (httpx.ReadTimeout("slow"), Outcome.UNKNOWN),
        (httpx.ReadError("reset"), Outcome.UNKNOWN),
        (httpx.WriteError("reset"), Outcome.UNKNOWN),
        (httpx.RemoteProtocolError("gone"), Outcome.UNKNOWN),
        (httpx.ConnectError("refused"), Outcome.NOT_SENT),
        (httpx.ConnectTimeout("slow"), Outcome.NOT_SENT),
        (httpx.PoolTimeout("busy"), Outcome.NOT_SENT),
    ],
)
async def test_only_a_failure_to_connect_proves_that_nothing_was_sent(
    failure: httpx.HTTPError, outcome: Outcome
) -> None:
    calls = 0

    def fail(_: httpx.Request) -> httpx.Response:
        nonlocal calls
        calls += 1
        raise failure

    result = await _carrier(fail).create(SHIPMENT, "d" * 32, "https://shop.example/w")
    assert result.outcome is outcome
    assert calls == (3 if outcome is Outcome.NOT_SENT else 1)


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        (httpx.Response(500), Outcome.UNKNOWN),
        (httpx.Response(502, text="<html>"), Outcome.UNKNOWN),
        (httpx.Response(200, text="<html>"), Outcome.UNKNOWN),
        (httpx.Response(429, headers={"retry-after": "7"}), Outcome.RATE_LIMITED),
    ],
)
async def test_an_error_answer_proves_nothing(answer: httpx.Response, outcome: Outcome) -> None:
    result = await _carrier(lambda _: answer).create(SHIPMENT, "d" * 32, "https://shop.example/w")
    assert result.outcome is outcome
    assert result.retry_after_s == (7 if outcome is Outcome.RATE_LIMITED else None)


async def test_an_open_breaker_holds_new_orders_back_and_lets_queries_and_cancels_pass() -> None:
    broken = True

    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(500) if broken else _ok(request)

    carrier = _carrier(answer)
    for _ in range(3):
        assert (await carrier.create(SHIPMENT, "d" * 32, "u")).outcome is Outcome.UNKNOWN
    broken = False
    held_back = await carrier.create(SHIPMENT, "d" * 32, "u")
    assert (held_back.outcome, held_back.code) == (Outcome.NOT_SENT, BREAKER_OPEN)
    seen = await carrier.query(REF)
    assert seen.value is not None
    assert seen.value.state is AttemptState.ASSIGNED
    assert (await carrier.cancel(REF, CancelReason.BUYER_REFUND)).outcome is Outcome.OK


async def test_refusals_do_not_open_the_breaker() -> None:
    def refuse(_: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json={"status": "fail", "code": 4711, "msg": "不行", "result": None})

    carrier = _carrier(refuse)
    for _ in range(6):
        result = await carrier.create(SHIPMENT, "d" * 32, "u")
        assert (result.outcome, result.reason) == (Outcome.REJECTED, Reason.OTHER)


async def test_too_fast_is_an_answer_and_does_not_open_the_breaker() -> None:
    carrier = _carrier(lambda _: httpx.Response(429))
    for _ in range(6):
        assert (await carrier.create(SHIPMENT, "d" * 32, "u")).outcome is Outcome.RATE_LIMITED


async def test_quotes_are_new_business_too() -> None:
    carrier = _carrier(lambda _: httpx.Response(500))
    for _ in range(3):
        assert (await carrier.quote(SHIPMENT, "d" * 32, "u")).outcome is Outcome.UNKNOWN
    assert (await carrier.quote(SHIPMENT, "d" * 32, "u")).code == BREAKER_OPEN
    assert (await carrier.create(SHIPMENT, "d" * 32, "u")).code == BREAKER_OPEN


async def test_what_concerns_orders_that_exist_passes_an_open_breaker_and_never_opens_one() -> None:
    carrier = _carrier(lambda _: httpx.Response(500))
    for _ in range(4):
        assert (await carrier.query(REF)).outcome is Outcome.UNKNOWN
        assert (await carrier.tip(REF, 100)).outcome is Outcome.UNKNOWN
        assert (await carrier.position(REF)).outcome is Outcome.UNKNOWN
        assert (await carrier.confirm_return(REF)).outcome is Outcome.UNKNOWN
    assert (await carrier.create(SHIPMENT, "d" * 32, "u")).outcome is Outcome.UNKNOWN


async def test_a_breaker_tries_again_after_its_time_and_closes_on_an_answer() -> None:
    broken = True

    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(500) if broken else _ok(request)

    client = httpx.AsyncClient(transport=httpx.MockTransport(answer))
    carrier = Guarded(
        DadaCarrier(DadaAccount(), client), threshold=2, open_for=timedelta(milliseconds=50), calls_per_s=1000
    )
    for _ in range(2):
        await carrier.create(SHIPMENT, "d" * 32, "u")
    assert (await carrier.create(SHIPMENT, "d" * 32, "u")).code == BREAKER_OPEN
    broken = False

    async def answered() -> bool:
        return (await carrier.create(SHIPMENT, "d" * 32, "u")).outcome is Outcome.OK

    await eventually(answered)


async def test_looking_whether_a_breaker_is_open_is_no_call_and_ends_with_its_time() -> None:
    client = httpx.AsyncClient(transport=httpx.MockTransport(lambda _: httpx.Response(500)))
    carrier = Guarded(
        DadaCarrier(DadaAccount(), client), threshold=2, open_for=timedelta(milliseconds=200), calls_per_s=1000
    )
    assert not await carrier.holds_back()
    await carrier.create(SHIPMENT, "d" * 32, "u")
    assert not await carrier.holds_back(), "one failure is an accident"
    await carrier.create(SHIPMENT, "d" * 32, "u")
    assert await carrier.holds_back()

    async def lets_through() -> bool:
        return not await carrier.holds_back()

    await eventually(lets_through)
    assert (await carrier.create(SHIPMENT, "d" * 32, "u")).outcome is Outcome.UNKNOWN, "the trial is a real call"
    assert await carrier.holds_back(), "and one failure of it is enough"


async def test_each_account_has_a_breaker_of_its_own() -> None:
    broken, works = _carrier(lambda _: httpx.Response(500)), _carrier(_ok)
    for _ in range(4):
        await broken.create(SHIPMENT, "d" * 32, "u")
    assert (await works.create(SHIPMENT, "d" * 32, "u")).outcome is Outcome.OK


async def test_calls_of_one_account_are_paced() -> None:
    client = httpx.AsyncClient(transport=httpx.MockTransport(_ok))
    carrier = Guarded(DadaCarrier(DadaAccount(), client), threshold=3, open_for=timedelta(seconds=30), calls_per_s=10)
    began = time.monotonic()
    await asyncio.gather(*(carrier.query(REF) for _ in range(14)))
    assert time.monotonic() - began >= 0.3, "ten at once, and each further one a tenth of a second later"


async def test_the_pace_of_one_account_does_not_slow_another() -> None:
    client = httpx.AsyncClient(transport=httpx.MockTransport(_ok))
    slow, other = (
        Guarded(DadaCarrier(DadaAccount(), client), threshold=3, open_for=timedelta(seconds=30), calls_per_s=rate)
        for rate in (1, 1000)
    )
    await slow.query(REF)
    waiting = asyncio.create_task(slow.query(REF))
    await asyncio.gather(*(other.query(REF) for _ in range(20)))
    assert not waiting.done(), "the slow one has another second to wait"
    waiting.cancel()


async def test_what_is_sent_again_after_a_failed_connection_is_the_same_to_the_last_byte() -> None:
    sent: list[bytes] = []

    def refuse(request: httpx.Request) -> httpx.Response:
        sent.append(request.content)
        raise httpx.ConnectError("refused")

    await _carrier(refuse).create(SHIPMENT, "d" * 32, "u")
    assert len(sent) == 3
    assert len(set(sent)) == 1
