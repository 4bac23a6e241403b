"""What the port promises, kept by every adapter against a carrier that checks its signatures with code of its own."""

import json
from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.dispatch.domain.attempts import AttemptState
from services.dispatch.gateways.native import NativeCarrier
from services.dispatch.gateways.port import CancelReason, Outcome, ProviderRef, RawRequest, Reason, Result, Trust
from tests.integration.dispatch.benches import BENCHES, NOBODY, Bench, Listener, Play
from tests.integration.dispatch.shipments import SHIPMENT
from tests.integration.sandbox.stage import SandboxProcess
from tests.support.waiting import eventually

S = AttemptState
# What only errand runners have: orders at a quote, riders who drop out, positions.
RUNNERS = pytest.mark.parametrize(
    "bench", [bench for bench in BENCHES if bench.drop], indirect=True, ids=lambda bench: bench.provider
)


@pytest.fixture(scope="module")
def listener() -> Iterator[Listener]:
    there = Listener()
    there.start()
    yield there
    there.stop()


@pytest.fixture(params=BENCHES, ids=lambda bench: bench.provider)
def bench(request: pytest.FixtureRequest) -> Bench:
    chosen: Bench = request.param
    return chosen


@pytest.fixture
async def play(bench: Bench, carriers: SandboxProcess, listener: Listener) -> AsyncIterator[Play]:
    """A bare account: no breaker and no pace stand between the test and the carrier."""
    async with (
        httpx.AsyncClient(trust_env=False) as client,
        httpx.AsyncClient(base_url=carriers.url, trust_env=False, timeout=30) as sandbox,
    ):
        carrier = bench.open(client, carriers.url, bench.secret)
        listener.carrier, listener.heard = carrier, []
        (await sandbox.put("/_sim/ishansong/console", json={"callback_url": listener.url})).raise_for_status()
        yield Play(bench, carrier, sandbox, listener)
        await sandbox.delete(f"/_sim/faults/{bench.provider}")


async def test_a_quote_has_a_price_and_an_order_placed_at_it_costs_that(play: Play) -> None:
    quoted = await play.quote()
    assert quoted.value is not None
    assert quoted.value.fee_fen > 0
    play.bound = quoted.value
    placed = await play.order()
    assert placed.value is not None
    assert placed.value.state is S.SEARCHING
    seen = await play.carrier.query(play.ref)
    assert seen.value is not None
    assert (seen.value.state, seen.value.fee_fen, seen.value.picked_up) == (S.SEARCHING, quoted.value.fee_fen, False)


async def test_an_order_is_followed_to_its_rider_and_onto_the_road(play: Play) -> None:
    await play.order()
    await play.act(play.bench.accept)
    assigned = await play.carrier.query(play.ref)
    assert assigned.value is not None
    assert assigned.value.state is S.ASSIGNED
    assert assigned.value.rider is not None
    assert assigned.value.rider.phone
    await play.act(play.bench.fetch)
    fetched = await play.carrier.query(play.ref)
    assert fetched.value is not None
    assert (fetched.value.state, fetched.value.picked_up) == (S.IN_TRANSIT, True)


@pytest.mark.parametrize(
    ("fault", "outcome", "reason"),
    [
        ("commit_then_timeout", Outcome.UNKNOWN, None),
        ("drop_before_commit", Outcome.UNKNOWN, None),
        ("http_500", Outcome.UNKNOWN, None),
        ("commit_then_http_500", Outcome.UNKNOWN, None),
        ("html_body", Outcome.UNKNOWN, None),
        ("commit_then_html_body", Outcome.UNKNOWN, None),
        ("gbk_body", Outcome.UNKNOWN, None),
        ("commit_then_gbk_body", Outcome.UNKNOWN, None),
        ("unknown_code", Outcome.UNKNOWN, None),
        ("commit_then_unknown_code", Outcome.UNKNOWN, None),
        ("throttle", Outcome.RATE_LIMITED, None),
        ("balance_short", Outcome.REJECTED, Reason.FUNDS),
        ("slow", Outcome.UNKNOWN, None),
    ],
)
async def test_what_goes_wrong_with_an_order_has_one_meaning_and_one_rider_at_most(
    play: Play, fault: str, outcome: Outcome, reason: Reason | None
) -> None:
    play.bound = (await play.quote()).value
    await play.fault(play.bench.create, fault)
    result = await play.order()
    assert result.outcome is outcome
    assert result.value is None
    assert reason is None or result.reason is reason
    committed = fault.startswith("commit") or fault == "slow"

    async def known() -> bool:
        return bool((await play.shown())["placed"] == int(committed))

    await eventually(known, what="the carrier has it, or has it not")
    if outcome is not Outcome.UNKNOWN:
        return
    found = await play.find_out()
    if committed or not play.carrier.caps.query_by_our_key:
        assert found.value is not None
        assert found.value.state is S.SEARCHING
        assert (await play.shown())["placed"] == 1
    else:
        assert (found.outcome, found.reason) == (Outcome.REJECTED, Reason.NOT_FOUND)


async def test_a_carrier_that_cannot_be_reached_was_sent_nothing(play: Play) -> None:
    async with httpx.AsyncClient(trust_env=False) as client:
        nowhere = play.bench.open(client, NOBODY, play.bench.secret)
        quote = (await play.quote()).value
        for result in (
            await nowhere.quote(SHIPMENT, play.key, play.listener.url),
            await nowhere.create(SHIPMENT, play.key, play.listener.url, quote),
        ):
            assert result.outcome is Outcome.NOT_SENT


async def test_a_wrong_secret_is_refused_by_name(play: Play) -> None:
    async with httpx.AsyncClient(trust_env=False) as client:
        stranger = play.bench.open(client, str(play.sandbox.base_url).rstrip("/"), "guessed")
        quote = (await play.quote()).value
        for result in (
            await stranger.quote(SHIPMENT, play.key, play.listener.url),
            await stranger.create(SHIPMENT, play.key, play.listener.url, quote),
        ):
            assert (result.outcome, result.reason) == (Outcome.REJECTED, Reason.AUTH)


@RUNNERS
async def test_a_stale_quote_is_refused_where_orders_are_placed_at_quotes(play: Play) -> None:
    play.bound = (await play.quote()).value
    await play.fault(play.bench.create, "stale_quote")
    result = await play.order()
    assert (result.outcome, result.reason) == (Outcome.REJECTED, Reason.QUOTE_STALE)
    assert (await play.shown())["placed"] == 0


async def test_an_order_is_taken_back_before_the_pickup(play: Play) -> None:
    await play.order()
    cancelled = await play.carrier.cancel(play.ref, CancelReason.BUYER_REFUND)
    assert cancelled.outcome is Outcome.OK
    seen = await play.carrier.query(play.ref)
    assert seen.value is not None
    assert seen.value.state is S.CANCELLED
    again = await play.carrier.cancel(play.ref, CancelReason.BUYER_REFUND)
    assert again.outcome in (Outcome.OK, Outcome.REJECTED)


async def test_a_cancellation_that_loses_to_the_pickup_is_none(play: Play) -> None:
    await play.order()
    await play.fault(play.bench.cancel, "cancel_lost_to_pickup")
    assert (await play.carrier.cancel(play.ref, CancelReason.BUYER_REFUND)).outcome is Outcome.REJECTED
    seen = await play.carrier.query(play.ref)
    assert seen.value is not None
    assert (seen.value.state, seen.value.picked_up) == (S.IN_TRANSIT, True)


@pytest.mark.parametrize("fault", ["commit_then_timeout", "drop_before_commit", "http_500", "gbk_body"])
async def test_a_cancellation_without_an_answer_is_unknown(play: Play, fault: str) -> None:
    await play.order()
    await play.fault(play.bench.cancel, fault)
    assert (await play.carrier.cancel(play.ref, CancelReason.BUYER_REFUND)).outcome is Outcome.UNKNOWN


async def test_an_order_that_never_was_is_not_found_by_our_key(play: Play) -> None:
    ref = ProviderRef("0" * 32)
    asked = await play.carrier.query(ref)
    assert (asked.outcome, asked.reason) == (Outcome.REJECTED, Reason.NOT_FOUND)
    cancelled = await play.carrier.cancel(ref, CancelReason.FENCE)
    assert (cancelled.outcome, cancelled.reason) == (Outcome.REJECTED, Reason.NOT_FOUND)


@RUNNERS
async def test_a_rider_who_drops_out_leaves_the_order_searching(play: Play) -> None:
    assert play.bench.drop is not None
    await play.order()
    await play.act(play.bench.accept, play.bench.drop)
    seen = await play.carrier.query(play.ref)
    assert seen.value is not None
    assert (seen.value.state, seen.value.rider) == (S.SEARCHING, None)


async def test_optional_calls_work_as_the_capabilities_say_or_are_refused_by_name(play: Play) -> None:
    await play.order()
    tip = await play.carrier.tip(play.ref, 200)
    await play.act(play.bench.accept)
    caps, carrier = play.carrier.caps, play.carrier
    results: dict[str, Result[Any]] = {
        "tips": tip,
        "cancel_terms": await carrier.cancel_terms(play.ref),
        "position": await carrier.position(play.ref),
        "subscribes": await carrier.subscribe(play.ref, play.listener.url),
    }
    for name, result in results.items():
        if getattr(caps, name):
            assert result.outcome is Outcome.OK, (name, result)
        else:
            assert (result.outcome, result.reason) == (Outcome.REJECTED, Reason.UNSUPPORTED), name


@RUNNERS
async def test_a_rider_stands_where_the_carrier_says_in_our_coordinates(play: Play) -> None:
    await play.order()
    await play.act(play.bench.accept)
    position = (await play.carrier.position(play.ref)).value
    assert position is not None
    assert position.place.latitude == pytest.approx(SHIPMENT.pickup.place.latitude, abs=2e-5)
    assert position.place.longitude == pytest.approx(SHIPMENT.pickup.place.longitude, abs=2e-5)


async def _acknowledged(play: Play, count: int) -> bool:
    """Whether the carrier sent this many callbacks and took our answers for a yes."""
    states = [call["state"] for call in (await play.shown())["callbacks"]]
    return len(states) >= count and set(states) == {"done"}


async def test_the_carrier_takes_our_answer_for_a_yes_and_its_callbacks_tell_the_way(play: Play) -> None:
    await play.order()
    await play.act(play.bench.accept, play.bench.fetch)
    await eventually(lambda: _acknowledged(play, 3), what="three callbacks are acknowledged")
    told = {snapshot.state for _, batch in play.listener.heard for snapshot in batch.snapshots}
    assert {S.SEARCHING, S.ASSIGNED, S.IN_TRANSIT} <= told
    assert {batch.attempt_key for _, batch in play.listener.heard} <= {play.key, None}


async def test_an_unknown_status_is_told_and_is_no_state(play: Play) -> None:
    await play.order()
    await play.act("status", code=777)

    async def heard() -> bool:
        told = [snapshot for _, batch in play.listener.heard for snapshot in batch.snapshots]
        return any((snapshot.raw_status, snapshot.state) == ("777", None) for snapshot in told)

    await eventually(heard, what="777 is heard")


async def test_a_callback_with_a_wrong_signature_is_not_believed_and_comes_again(play: Play) -> None:
    await play.fault("notify", "bad_signature")
    await play.order()
    await eventually(lambda: _acknowledged(play, 1), what="the true one is acknowledged")
    batches = [batch for _, batch in play.listener.heard]
    doubted = [batch for batch in batches if batch.trust is Trust.FAILED or batch.attempt_key not in (None, play.key)]
    assert len(doubted) == 1
    assert len(batches) == 2


@pytest.mark.parametrize("fault", ["duplicate", "late"])
async def test_copies_and_latecomers_are_the_same_bytes_in_another_order(play: Play, fault: str) -> None:
    await play.fault("notify", fault, seconds=0.5)
    await play.order()
    if fault == "late":
        await play.act(play.bench.accept)
    await eventually(lambda: _acknowledged(play, 1 if fault == "duplicate" else 2), what="everything has come")
    bodies = [raw.body for raw, _ in play.listener.heard]
    if fault == "duplicate":
        assert len(bodies) == 3
        assert len(set(bodies)) == 1
    else:
        told = [batch.snapshots[0].state for _, batch in play.listener.heard]
        assert told == [S.ASSIGNED, S.SEARCHING]


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(noise=st.one_of(st.binary(max_size=300), st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
        st.sampled_from(["order_id", "issOrderNo", "orderNo", "status", "signature", "param", "sign", "update_time",
                         "order_status", "messageType", "messageBody", "data", "lastResult", "courier"]),
        inner, max_size=6,
    ), max_leaves=10).map(lambda value: json.dumps(value).encode())))  # fmt: skip
def test_noise_is_never_authentic_and_never_raises(bench: Bench, noise: bytes) -> None:
    carrier = bench.open(httpx.AsyncClient(), NOBODY, bench.secret)
    batch = carrier.webhook(RawRequest(noise, "application/json"))
    assert batch.trust is not Trust.STRONG


async def test_the_merchants_own_rider_keeps_the_same_promises() -> None:
    own = NativeCarrier()
    ref = ProviderRef("0" * 32)
    quoted = await own.quote(SHIPMENT, ref.attempt_key, "")
    placed = await own.create(SHIPMENT, ref.attempt_key, "", quoted.value)
    assert placed.value is not None
    assert (placed.outcome, placed.value.state) == (Outcome.OK, S.ASSIGNED)
    asked = await own.query(ref)
    assert asked.value is not None
    assert asked.value.state is None
    cancelled = await own.cancel(ref, CancelReason.MERCHANT)
    assert cancelled.value is not None
    assert cancelled.value.fee_fen == 0
    assert own.webhook(RawRequest(b"{}")).trust is Trust.FAILED
    for result in (await own.tip(ref, 100), await own.subscribe(ref, ""), await own.confirm_return(ref)):
        assert (result.outcome, result.reason) == (Outcome.REJECTED, Reason.UNSUPPORTED)
