"""Catalog says its present state anew: who may ask, what is counted, what is written, and how it goes on."""

import json
from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest

from services.catalog.use_cases.replay import SNAPSHOTS
from shared.contracts import copies_of
from shared.database import Database
from shared.ids import new_id
from shared.messaging import outbox, replay
from shared.messaging.replay import Replay, Replays
from shared.messaging.timers import Due
from tests.integration.catalog.shop import OPERATOR, Catalog, deal_in_review, deal_on_sale, draft, ready_shop
from tests.support.environment import Environment
from tests.support.waiting import eventually

CHECKOUT = {event.topic for event in copies_of("catalog", "checkout").values()}
ASKED = {"to": "checkout", "reason": "its disk was lost"}


async def shown(catalog: Catalog, replay_id: UUID) -> dict[str, Any]:
    answer = await catalog.get(OPERATOR, f"/admin/replays/{replay_id}")
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def done(catalog: Catalog, replay_id: UUID) -> dict[str, Any]:
    async def ask() -> dict[str, Any] | None:
        found = await shown(catalog, replay_id)
        return found if found["state"] == "DONE" else None

    return await eventually(ask, within_s=60)


@pytest.mark.parametrize(
    ("subject", "body", "status", "code"),
    [
        ("somebody", ASKED, 403, "forbidden"),
        (OPERATOR, {**ASKED, "to": "catalog"}, 404, "consumer_keeps_nothing"),
        (OPERATOR, {**ASKED, "to": "nobody"}, 404, "consumer_keeps_nothing"),
        (OPERATOR, {**ASKED, "to": "nobody", "dry_run": True}, 404, "consumer_keeps_nothing"),
        (OPERATOR, {**ASKED, "reason": ""}, 422, "malformed_input"),
        (OPERATOR, {"to": "checkout"}, 422, "malformed_input"),
    ],
)
async def test_a_replay_is_refused(
    catalog: Catalog, subject: str, body: dict[str, Any], status: int, code: str
) -> None:
    answer = await catalog.put(subject, f"/admin/replays/{new_id()}", body)
    assert (answer.status_code, answer.json()["code"]) == (status, code)


async def test_only_operators_see_a_replay_and_an_unknown_one_is_not_found(catalog: Catalog) -> None:
    assert (await catalog.get("somebody", f"/admin/replays/{new_id()}")).status_code == 403
    assert (await catalog.get(OPERATOR, f"/admin/replays/{new_id()}")).status_code == 404


async def test_a_dry_run_counts_by_event_and_leaves_nothing_behind(catalog: Catalog) -> None:
    await deal_on_sale(catalog, await ready_shop(catalog))
    replay_id = new_id()
    answer = await catalog.put(OPERATOR, f"/admin/replays/{replay_id}", {**ASKED, "dry_run": True})
    counted = {event["topic"]: event["counted"] for event in answer.json()["events"]}
    assert counted.keys() == CHECKOUT
    async with catalog.db.transaction() as tx:
        assert counted["catalog.merchant_changed.v1"] == await tx.value("select count(*) from merchants")
        assert counted["catalog.deal_version_published.v1"] == await tx.value("select count(*) from deal_versions")
    assert (await catalog.get(OPERATOR, f"/admin/replays/{replay_id}")).status_code == 404


async def test_the_same_id_is_the_same_replay_and_another_request_under_it_is_refused(catalog: Catalog) -> None:
    replay_id = new_id()
    first = await catalog.put(OPERATOR, f"/admin/replays/{replay_id}", ASKED)
    assert first.status_code == 200, first.text
    again = await catalog.put(OPERATOR, f"/admin/replays/{replay_id}", ASKED)
    assert again.json()["started_at"] == first.json()["started_at"]
    for other in ({**ASKED, "to": "settlement"}, {**ASKED, "reason": "another"}):
        answer = await catalog.put(OPERATOR, f"/admin/replays/{replay_id}", other)
        assert (answer.status_code, answer.json()["code"]) == (409, "id_taken")
    finished = await done(catalog, replay_id)
    assert all(event["emitted"] >= event["counted"] for event in finished["events"])
    assert finished["unsent"] == 0
    after = await catalog.put(OPERATOR, f"/admin/replays/{replay_id}", ASKED)
    assert after.json()["state"] == "DONE"


async def test_nothing_new_is_said_so_the_history_gets_nothing(catalog: Catalog) -> None:
    shop = await ready_shop(catalog)
    before = await catalog.said(shop.merchant_id)
    replay_id = new_id()
    await catalog.put(OPERATOR, f"/admin/replays/{replay_id}", ASKED)
    await done(catalog, replay_id)
    assert await catalog.said(shop.merchant_id) == before


# Below, nothing runs by itself: the test takes the steps, and rolls back what it wrote.


class RolledBack(Exception):
    """Ends a transaction of a test without a trace."""


async def written(db: Database, consumer: str, steps: Callable[[int], bool]) -> tuple[Replay, list[dict[str, Any]]]:
    """A replay and the outbox rows of its first steps, as long as `steps(number)` says so."""
    found: list[dict[str, Any]] = []
    stands: Replay | None = None
    try:
        async with db.transaction() as tx:
            replays, replay_id = Replays("catalog", SNAPSHOTS), new_id()
            await replays.start(tx, replay_id, consumer, "a test", OPERATOR)
            number = 0
            while steps(number) and (await replay.find(tx, replay_id)).state == "READING":
                await replays.advance(tx, [Due(replay.ADVANCE, str(replay_id), tx.now, {}, 0)])
                number += 1
            stands = await replay.find(tx, replay_id)
            rows = await tx.fetch("select * from outbox where headers->>'replay_id' = $1 order by id", str(replay_id))
            found = [{**dict(row), "body": json.loads(row["payload"])} for row in rows]
            raise RolledBack
    except RolledBack:
        assert stands is not None
        return stands, found


@pytest.fixture
async def db(environment: Environment, catalog: Catalog) -> Any:
    """A pool of its own: what it commits wakes nobody."""
    async with environment.database_of("catalog") as found:
        yield found


@pytest.mark.parametrize("consumer", ["checkout", "redemption", "dispatch", "settlement"])
async def test_a_consumer_gets_the_events_that_it_copies_and_no_others(
    db: Database, catalog: Catalog, consumer: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = await ready_shop(catalog)
    await deal_on_sale(catalog, shop)
    unapproved = await deal_in_review(catalog, shop)
    monkeypatch.setattr(replay, "MOST_UNSENT", 1_000_000)
    stands, rows = await written(db, consumer, lambda _: True)
    assert str(unapproved) not in {row["aggregate_id"] for row in rows}
    assert {row["topic"] for row in rows} == {event.topic for event in copies_of("catalog", consumer).values()}
    assert {row["exchange"] for row in rows} == {f"replay.{consumer}"}
    assert len(rows) == sum(stands.emitted.values())
    assert stands.state == "SENDING"


async def test_an_event_said_anew_is_the_last_one_said_but_for_its_id_and_moment(
    db: Database, catalog: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = await ready_shop(catalog)
    deal_id = await deal_on_sale(catalog, shop)
    news: dict[str, dict[str, Any]] = {}
    for about in (shop.merchant_id, shop.store_id, deal_id):
        news.update(dict(await catalog.said(about)))
    monkeypatch.setattr(replay, "MOST_UNSENT", 1_000_000)
    again: dict[str, dict[str, Any]] = {}
    for consumer in ("checkout", "redemption"):
        _, rows = await written(db, consumer, lambda _: True)
        ids = {str(shop.merchant_id), str(shop.store_id), str(deal_id)}
        again.update({row["topic"]: row["body"] for row in rows if row["aggregate_id"] in ids})
    assert again.keys() == news.keys()
    # The version's own event was said when the deal went on sale later: only the number of the last word differs.
    version = "catalog.deal_version_published.v1"
    news[version]["version"] = again[version]["version"]
    ignored = {"event_id": None, "occurred_at": None}
    assert {topic: {**body, **ignored} for topic, body in again.items()} == {
        topic: {**body, **ignored} for topic, body in news.items()
    }
    assert all(again[topic]["event_id"] != body["event_id"] for topic, body in news.items())


async def test_every_version_of_a_deal_is_said_with_its_own_content(
    db: Database, catalog: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = await ready_shop(catalog)
    deal_id = await deal_on_sale(catalog, shop)
    body = draft(shop.merchant_id, [shop.store_id], price_fen=11_800)
    for path, who, change in (
        (f"/deals/{deal_id}", shop.owner, body),
        (f"/deals/{deal_id}/submission", shop.owner, {}),
        (f"/deals/{deal_id}/review", OPERATOR, {"approve": True}),
        (f"/deals/{deal_id}", shop.owner, {**body, "price_fen": 10_800}),
    ):
        answer = await catalog.put(who, path, change)
        assert answer.is_success, answer.text
    monkeypatch.setattr(replay, "MOST_UNSENT", 1_000_000)
    _, rows = await written(db, "checkout", lambda _: True)
    said = [row["body"] for row in rows if row["aggregate_id"] == str(deal_id) and "published" in row["topic"]]
    assert [(one["deal_version"], one["price_fen"]) for one in said] == [(1, 12_800), (2, 11_800)]


async def test_pages_meet_without_a_gap_or_an_overlap(
    db: Database, catalog: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(3):
        await deal_on_sale(catalog, await ready_shop(catalog))
    monkeypatch.setattr(replay, "MOST_UNSENT", 1_000_000)
    monkeypatch.setattr(replay, "PAGE", 1)
    _, rows = await written(db, "checkout", lambda _: True)
    said = [(row["topic"], row["aggregate_id"], row["body"].get("deal_version")) for row in rows]
    assert len(said) == len(set(said))
    async with db.transaction() as tx:
        expected = sum([await snapshot.count(tx) for snapshot in SNAPSHOTS if snapshot.event.topic in CHECKOUT])
    assert len(said) == expected


async def test_the_outbox_is_not_flooded(db: Database, catalog: Catalog, monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(4):
        await ready_shop(catalog)
    monkeypatch.setattr(replay, "PAGE", 2)
    monkeypatch.setattr(replay, "MOST_UNSENT", 3)
    stands, rows = await written(db, "checkout", lambda number: number < 10)
    assert len(rows) == 4, "a page is written while fewer than three rows wait"
    assert stands.state == "READING"


async def test_a_replay_is_done_only_when_the_broker_has_confirmed_its_last_event(
    db: Database, catalog: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    await ready_shop(catalog)
    monkeypatch.setattr(replay, "MOST_UNSENT", 1_000_000)
    replays, replay_id = Replays("catalog", SNAPSHOTS), new_id()
    with pytest.raises(RolledBack):
        async with db.transaction() as tx:
            due = [Due(replay.ADVANCE, str(replay_id), tx.now, {}, 0)]

            async def state_after(steps: int) -> str:
                for _ in range(steps):
                    await replays.advance(tx, due)
                return (await replay.find(tx, replay_id)).state

            await replays.start(tx, replay_id, "redemption", "a test", OPERATOR)
            while await state_after(1) == "READING":
                assert await outbox.unsent_again(tx, replay_id)
            assert await state_after(3) == "SENDING"
            await tx.execute("delete from outbox where headers->>'replay_id' = $1", str(replay_id))
            assert await state_after(1) == "DONE"
            assert await tx.value("delete from timers where key = $1 returning true", str(replay_id))
            assert await state_after(1) == "DONE"
            assert not await tx.value("select true from timers where key = $1", str(replay_id)), "nothing is left to do"
            raise RolledBack


async def test_a_step_that_is_rolled_back_is_taken_again(
    db: Database, catalog: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    await deal_on_sale(catalog, await ready_shop(catalog))
    monkeypatch.setattr(replay, "PAGE", 1)
    replays, replay_id = Replays("catalog", SNAPSHOTS), new_id()
    due = [Due(replay.ADVANCE, str(replay_id), db.clock.now(), {}, 0)]
    async with db.transaction() as tx:
        await replays.start(tx, replay_id, "redemption", "a test", OPERATOR)
        # Only this test takes its steps.
        await tx.execute("delete from timers where kind = $1 and key = $2", replay.ADVANCE, str(replay_id))
        before = await replay.find(tx, replay_id)
    with pytest.raises(RolledBack):
        async with db.transaction() as tx:
            await replays.advance(tx, due)
            raise RolledBack
    async with db.transaction() as tx:
        assert await replay.find(tx, replay_id) == before
        assert await outbox.unsent_again(tx, replay_id) == 0
    # The service's own loop takes over: the timer that the next step sets is all that it needs.
    async with db.transaction() as tx:
        await replays.advance(tx, due)
    finished = await done(catalog, replay_id)
    assert all(event["emitted"] >= event["counted"] for event in finished["events"])
