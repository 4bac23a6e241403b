"""How webhooks are kept: whole, sealed, before they are read; and what leaves no trace of a secret."""

import base64
import json
import logging
import re
from datetime import timedelta
from typing import Any

import asyncpg
import pytest
import structlog
from fastapi import FastAPI

from services.dispatch.settings import DispatchSettings
from services.dispatch.store import webhooks
from services.dispatch.use_cases import clockwork
from shared.contracts.catalog import DeliveryMode
from shared.contracts.checkout import OrderPaid
from shared.database import Row
from shared.messaging import timers
from tests.integration.dispatch.lanes import BY_NAME, act, forge, restrict
from tests.integration.dispatch.stage import ADDRESS, Stage

ALL = ("dada", "ishansong", "kuaidi100")
DADA, ISHANSONG = BY_NAME["dada"], BY_NAME["ishansong"]


async def _rows(stage: Stage, provider: str) -> list[Row]:
    async with stage.db.transaction() as tx:
        return await tx.fetch("select * from webhooks where provider = $1 order by webhook_id desc limit 50", provider)


async def _searching(stage: Stage, *carriers: str) -> OrderPaid:
    order = await stage.accepted(await stage.open_shop(*carriers), DeliveryMode.INSTANT)
    await stage.until_attempt(order, "SEARCHING")
    return order


async def test_a_webhook_is_kept_with_its_headers_and_its_query_as_it_was_written(stage: Stage) -> None:
    order = await _searching(stage, "dada")
    (attempt,) = await stage.attempts(order)
    token = stage.world.webhook_token(attempt["attempt_id"])
    await stage.http.post(f"/webhooks/dada/{token}?sign=a+b%2Bc", content=b"no json", headers={"x-of-theirs": "1"})
    row = next(row for row in await _rows(stage, "dada") if row["attempt_id"] == attempt["attempt_id"])
    assert b"no json" not in bytes(str(dict(row)), "utf-8")
    assert base64.b64decode(stage.world.seals.open(row["sealed_body"])) == b"no json"
    envelope = json.loads(stage.world.seals.open(row["sealed_envelope"]))
    assert envelope["query"] == "sign=a+b%2Bc"
    assert ["x-of-theirs", "1"] in envelope["headers"]


async def test_what_came_to_an_accounts_address_is_kept_even_if_it_is_about_nothing(
    stage: Stage, served: FastAPI
) -> None:
    restrict(stage, served, "ishansong")
    order = await _searching(stage, "ishansong")
    body = b'{"issOrderNo":"TDH0","orderNo":"' + b"0" * 32 + b'","status":50}'
    before = len(await _rows(stage, "ishansong"))
    for content in (body, b"garbage", body):
        await stage.http.post("/webhooks/ishansong/ishansong-callback", content=content)
    kept = [row for row in await _rows(stage, "ishansong") if row["attempt_id"] is None]
    assert len(kept) >= 2
    assert {row["state"] for row in kept} == {"REFUSED"}
    assert before
    assert await stage.state(order) == "ACCEPTED"


async def test_the_address_of_an_account_is_as_secret_as_that_of_an_attempt(stage: Stage) -> None:
    for token in ("guessed", "ishansong-callbac", "ishansong-callback2"):
        answer = await stage.http.post(f"/webhooks/ishansong/{token}", content=b"{}")
        assert (answer.status_code, answer.json()["code"]) == (404, "webhook_unknown")
    answer = await stage.http.post("/webhooks/dada/ishansong-callback", content=b"{}")
    assert answer.status_code == 404


async def test_while_the_database_is_away_the_carrier_hears_no_yes(
    stage: Stage, served: FastAPI, dispatch_settings: DispatchSettings
) -> None:
    restrict(stage, served, "dada", "ishansong")
    order = await _searching(stage, "dada")
    db = served.state.db

    class Away:
        def transaction(self, **_: Any) -> Any:
            raise asyncpg.CannotConnectNowError("starting up")

    served.state.db = Away()
    try:
        answer = await forge(stage, DADA, order, 2)
    finally:
        served.state.db = db
    assert answer.status_code >= 500
    again = await forge(stage, DADA, order, 2)
    assert again.status_code == 200
    (attempt,) = await stage.attempts(order)
    kept = [row for row in await _rows(stage, "dada") if row["attempt_id"] == attempt["attempt_id"]]
    assert len(kept) == 2, "its own first callback, and the one that came again"


async def test_rows_of_a_track_that_were_heard_are_not_heard_again(stage: Stage, served: FastAPI) -> None:
    lane = BY_NAME["kuaidi100"]
    restrict(stage, served, lane.provider)
    order = await stage.accepted(await stage.open_shop(*ALL), lane.mode)
    await stage.until_attempt(order, "SEARCHING")
    await act(stage, lane, order, "accept", "pickup")
    await stage.until(order, "HANDED_OVER")
    await act(stage, lane, order, "transit", "deliver", "sign")
    await stage.until(order, "DELIVERED")
    (attempt,) = await stage.attempts(order)

    async with stage.db.transaction() as tx:
        told = await tx.fetch(
            """select raw_status, occurred_at, count(*) as times from reports where attempt_id = $1
               and raw_status like 'track:%' and source = 'WEBHOOK' group by raw_status, occurred_at""",
            attempt["attempt_id"],
        )
    assert told
    assert {row["times"] for row in told} == {1}


async def test_events_are_forgotten_with_their_webhooks(stage: Stage) -> None:
    order = await _searching(stage, "dada")
    (attempt,) = await stage.attempts(order)
    async with stage.db.transaction() as tx:
        assert await webhooks.note_event(tx, attempt["attempt_id"], b"one")
        assert not await webhooks.note_event(tx, attempt["attempt_id"], b"one")
        await tx.execute(
            "update heard_events set heard_at = now() - interval '31 days' where attempt_id = $1",
            attempt["attempt_id"],
        )
        await webhooks.purge(tx, 10_000)
        assert await webhooks.note_event(tx, attempt["attempt_id"], b"one")


async def test_old_webhooks_are_purged_again_and_again_but_none_that_waits(stage: Stage) -> None:
    order = await _searching(stage, "dada")
    (attempt,) = await stage.attempts(order)
    for status, state in ((2, "APPLIED"), (100, "STORED")):
        await forge(stage, DADA, order, status)
        async with stage.db.transaction() as tx:
            await tx.execute(
                """update webhooks set state = $2, received_at = now() - interval '31 days'
                   where attempt_id = $1 and received_at > now() - interval '30 days'""",
                attempt["attempt_id"],
                state,
            )
    async with stage.db.transaction() as tx:
        await tx.execute("delete from timers where kind = $1", clockwork.APPLY_WEBHOOK)
        await timers.schedule(tx, clockwork.PURGE_WEBHOOKS, "webhooks", tx.now)
    await stage.act()
    kept = [row["state"] for row in await _rows(stage, "dada") if row["attempt_id"] == attempt["attempt_id"]]
    assert kept == ["STORED"], "it was never applied, however old it is"
    async with stage.db.transaction() as tx:
        due_at = await tx.value("select due_at from timers where kind = $1", clockwork.PURGE_WEBHOOKS)
    assert stage.now() < due_at < stage.now() + timedelta(hours=7)


async def test_nothing_secret_is_ever_logged(
    stage: Stage, served: FastAPI, dispatch_settings: DispatchSettings, caplog: pytest.LogCaptureFixture
) -> None:
    restrict(stage, served, "dada", "ishansong")
    # As the processes do: of libraries only what they warn about is written, whatever our own level is.
    caplog.set_level(logging.WARNING)
    with structlog.testing.capture_logs() as logged:
        for lane in (DADA, ISHANSONG):
            for fault in ("commit_then_timeout", "http_500", "gbk_body", "business_error"):
                await stage.faults(lane.provider, {"operation": lane.place, "fault": fault, "seconds": 2})
                order = await stage.accepted(await stage.open_shop(lane.provider), DeliveryMode.INSTANT)
                await stage.pass_time(timedelta(seconds=3))
        await stage.faults("dada")
        order = await _searching(stage, "dada")
        await forge(stage, DADA, order, 2, signature="0" * 32)
        await forge(stage, DADA, order, 2, order_id="f" * 32)
        await stage.http.post("/webhooks/dada/guessed-token", content=b"{}")
        await stage.act()
        (attempt,) = await stage.attempts(order)
    told = json.dumps(logged, ensure_ascii=False, default=str) + caplog.text
    secrets = [
        "dada-secret", "ishansong-secret", "kuaidi-secret", "kuaidi-salt", "guessed-token", "ishansong-callback",
        stage.world.webhook_token(attempt["attempt_id"]), ADDRESS.phone, ADDRESS.phone.removeprefix("+86"),
        ADDRESS.name, ADDRESS.street,
        *(key for keys in dispatch_settings.seal_keys.values() for key in keys.values()),
    ]  # fmt: skip
    assert len(logged) > 10
    assert [secret for secret in secrets if re.search(re.escape(secret), told)] == []
