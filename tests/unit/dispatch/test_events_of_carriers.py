"""Each carrier's own words, shuffled, copied and lost on the way: the parcel ends where its carrier says that it is."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.dispatch.domain.attempts import LIVE, TERMINAL, AttemptState, Progress, Snapshot, weigh
from services.dispatch.domain.parcels import ParcelState, Step, steps
from services.dispatch.gateways import dada_mapper, ishansong_mapper, kuaidi100_mapper
from services.dispatch.gateways.ishansong_mapper import IshansongAccount
from services.dispatch.gateways.native import NativeCarrier
from services.dispatch.gateways.port import ProviderRef, RawRequest, Trust, WebhookBatch
from services.dispatch.use_cases.hearing import Heard, event_key
from shared.clock import SHANGHAI

S = AttemptState
KEY, SALT = "a" * 32, "salt"
T0 = datetime(2026, 11, 22, 4, tzinfo=UTC)
_ENDS = {
    Step.HAND_OVER: ParcelState.HANDED_OVER,
    Step.DELIVER: ParcelState.DELIVERED,
    Step.RETURN: ParcelState.RETURNED,
}


def _wire(minute: int) -> str:
    return (T0 + timedelta(minutes=minute)).astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M:%S")


@dataclass(frozen=True)
class Tongue:
    """How a carrier moves, what it sends about one step, and what it answers when asked at some point."""

    name: str
    moves: dict[str, tuple[str, ...]]
    start: str
    send: Callable[[list[str], int], bytes]
    hear: Callable[[bytes], WebhookBatch]
    answer: Callable[[list[str]], Snapshot]


def _dada_status(step: str) -> int:
    return int(step.partition("/")[0])


def _dada_send(walk: list[str], index: int) -> bytes:
    at = int((T0 + timedelta(minutes=index)).timestamp())
    status = _dada_status(walk[index])
    facts: dict[str, Any] = {"client_id": "3", "order_id": KEY, "order_status": status, "update_time": at}
    if walk[index] == "1/lost":
        facts["repeat_reason_type"] = 1
    facts["signature"] = dada_mapper.callback_checksum("3", KEY, str(at))
    return json.dumps(facts).encode()


def _dada_answer(walk: list[str]) -> Snapshot:
    told: dict[str, Any] = {"statusCode": _dada_status(walk[-1])}
    for minute, step in enumerate(walk):
        name = {2: "acceptTime", 3: "fetchTime", 4: "finishTime", 5: "cancelTime"}.get(_dada_status(step))
        if name:
            told[name] = _wire(minute)
    return dada_mapper.parse_status(told)


def _ishansong_send(walk: list[str], index: int) -> bytes:
    return json.dumps({"issOrderNo": "TDH1", "orderNo": KEY, "status": int(walk[index])}).encode()


def _ishansong_answer(walk: list[str]) -> Snapshot:
    log = [{"orderStatus": int(step), "updateTime": _wire(minute)} for minute, step in enumerate(walk)]
    aborted = {"abortInfo": {"deductAmount": 0}} if walk[-1] == "60" else {}
    return ishansong_mapper.parse_status(
        IshansongAccount(), {"orderStatus": int(walk[-1]), "statusChangeLog": log, **aborted}, "TDH1"
    )


def _kuaidi_rows(walk: list[str]) -> list[dict[str, str]]:
    rows = [
        {"ftime": _wire(minute), "statusCode": step[1:]} for minute, step in enumerate(walk) if step.startswith("t")
    ]
    return rows[::-1]


def _kuaidi_send(walk: list[str], index: int) -> bytes:
    step = walk[index]
    if step.startswith("t"):
        track = {"state": step[1:], "nu": "YT1", "com": "yuantong", "data": _kuaidi_rows(walk[: index + 1])}
        param = json.dumps({"status": "polling", "lastResult": track})
    else:
        param = json.dumps({"kuaidinum": "YT1", "data": {"orderId": "77", "status": int(step)}})
    return urlencode({"param": param, "sign": kuaidi100_mapper.push_signature(param, SALT), "taskId": "T"}).encode()


def _kuaidi_answer(walk: list[str]) -> Snapshot:
    orders, rows = [step for step in walk if not step.startswith("t")], _kuaidi_rows(walk)
    if orders[-1] == "10" and rows:
        return kuaidi100_mapper.parse_track({"state": rows[0]["statusCode"], "nu": "YT1", "data": rows})
    return kuaidi100_mapper.parse_order({"orderId": "77", "status": int(orders[-1])})


TONGUES = (
    Tongue(
        "dada",
        {"1": ("2", "5", "1000"), "2": ("100", "3", "1/lost", "5"), "1/lost": ("2", "5"), "100": ("3", "5"),
         "3": ("4", "9"), "9": ("10",)},
        "1", _dada_send, dada_mapper.parse_callback, _dada_answer,
    ),
    Tongue(
        "ishansong",
        {"20": ("30", "60"), "30": ("40", "20", "60"), "40": ("50",)},
        "20", _ishansong_send, partial(ishansong_mapper.parse_callback, IshansongAccount()), _ishansong_answer,
    ),
    Tongue(
        "kuaidi100",
        {"0": ("1", "9", "99", "610"), "1": ("10", "9", "99"), "10": ("t1",), "t1": ("t0", "t5"), "t0": ("t5", "t2"),
         "t2": ("t5", "t6"), "t5": ("t3", "t14", "t2"), "t14": ("t6",), "t6": ("t4",)},
        "0", _kuaidi_send, lambda raw: kuaidi100_mapper.parse_webhook(RawRequest(raw), SALT), _kuaidi_answer,
    ),
)  # fmt: skip


@st.composite
def _walks(draw: st.DrawFn, tongue: Tongue) -> list[str]:
    """What the carrier really did."""
    walk = [tongue.start]
    for _ in range(draw(st.integers(0, 10))):
        following = tongue.moves.get(walk[-1], ())
        if not following:
            break
        walk.append(draw(st.sampled_from(following)))
    return walk


@st.composite
def _arrivals(draw: st.DrawFn, length: int, *, complete: bool = False) -> list[tuple[int, int]]:
    """(which message, how far the carrier is by then): in any order, some twice, some never, none before its time."""
    told = draw(st.lists(st.integers(0, length - 1), max_size=2 * length))
    if complete:
        told = draw(st.permutations([*range(length), *told]))
    arrivals, by_then = [], 0
    for index in told:
        by_then = draw(st.integers(max(index, by_then), length - 1))
        arrivals.append((index, by_then))
    return arrivals


class _Parcel:
    """An attempt and its parcel as dispatch keeps them, without a database."""

    def __init__(self) -> None:
        self.attempt = Progress(S.SUBMITTING)
        self.parcel = ParcelState.ACCEPTED
        self.done: list[Step] = []
        self.heard: set[bytes] = set()

    def hear(self, tongue: Tongue, batch: WebhookBatch, now: list[str]) -> None:
        assert batch.trust is not Trust.FAILED
        if Heard(UUID(int=0), batch, NativeCarrier(), ProviderRef(KEY)).must_ask:
            self.take(tongue.answer(now), asked=True)
            return
        for snapshot in batch.snapshots:
            key = event_key(snapshot)
            if key is None or key not in self.heard:
                self.take(snapshot)
            self.heard |= {key} if key else set()

    def take(self, snapshot: Snapshot, *, asked: bool = False) -> None:
        before = self.attempt
        self.attempt, _ = weigh(before, snapshot, asked=asked)
        was_live = before.state in LIVE
        for step in steps(self.parcel, self.attempt.state, picked_up=self.attempt.picked_up, was_live=was_live):
            self.parcel = _ENDS.get(step, self.parcel)
            self.done.append(step)

    def poll(self, tongue: Tongue, now: list[str]) -> None:
        """What is silent is asked about, in the end."""
        if self.attempt.state not in TERMINAL:
            self.take(tongue.answer(now), asked=True)


def _played(tongue: Tongue, walk: list[str], arrivals: list[tuple[int, int]], *, polled: bool = True) -> _Parcel:
    played = _Parcel()
    for index, by_then in arrivals:
        played.hear(tongue, tongue.hear(tongue.send(walk, index)), walk[: by_then + 1])
    if polled:
        played.poll(tongue, walk)
    return played


@pytest.mark.parametrize("tongue", TONGUES, ids=lambda tongue: tongue.name)
@settings(max_examples=400, deadline=None)
@given(data=st.data())
def test_the_parcel_ends_where_its_carrier_has_it_however_the_news_arrives(tongue: Tongue, data: st.DataObject) -> None:
    walk = data.draw(_walks(tongue))
    in_order = _played(tongue, walk, [(index, index) for index in range(len(walk))])
    played = _played(tongue, walk, data.draw(_arrivals(len(walk))))
    assert played.attempt.state is tongue.answer(walk).state
    assert (played.attempt.state, played.parcel) == (in_order.attempt.state, in_order.parcel)
    assert played.attempt.picked_up is in_order.attempt.picked_up
    assert sorted(played.done) == sorted(in_order.done), "each consequence once, and none besides"


@pytest.mark.parametrize("tongue", TONGUES, ids=lambda tongue: tongue.name)
@settings(max_examples=200, deadline=None)
@given(data=st.data())
def test_what_its_carrier_never_delivered_is_never_delivered(tongue: Tongue, data: st.DataObject) -> None:
    walk = data.draw(_walks(tongue))
    played = _played(tongue, walk, data.draw(_arrivals(len(walk))))
    if tongue.answer(walk).state is not S.DELIVERED:
        assert played.parcel is not ParcelState.DELIVERED
    assert played.done.count(Step.HAND_OVER) <= 1
    assert played.done.count(Step.REPLACE) <= 1


@pytest.mark.parametrize("tongue", TONGUES, ids=lambda tongue: tongue.name)
@settings(max_examples=400, deadline=None)
@given(data=st.data())
def test_when_all_news_has_come_nobody_needs_to_be_asked(tongue: Tongue, data: st.DataObject) -> None:
    walk = data.draw(_walks(tongue))
    played = _played(tongue, walk, data.draw(_arrivals(len(walk), complete=True)), polled=False)
    assert played.attempt.state is tongue.answer(walk).state
