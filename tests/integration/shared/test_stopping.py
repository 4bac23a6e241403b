"""How a process ends: what is under way finishes on SIGTERM; a background task that ends takes it down."""

import asyncio
import signal
import sys
from asyncio.subprocess import Process
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import httpx
import pytest

from services.console.environment import environment as variables
from shared.contracts.settlement import PayoutFailed
from shared.ids import new_id
from shared.messaging import outbox
from shared.service import Tasks
from tests.integration.shared.conftest import Bare
from tests.support.servers import ROOT
from tests.support.waiting import eventually


@pytest.fixture
async def slow_service(bare: Bare) -> AsyncIterator[Process]:
    local = bare.environment.local
    env = {**variables("catalog", local), "PYTHONPATH": str(ROOT)}
    del env["GROUPBUY_CLOCK_URL"]
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.integration.shared.slow_service",
        env=env,
        cwd=ROOT,
        stdout=asyncio.subprocess.DEVNULL,
    )
    try:

        async def ready() -> bool:
            assert process.returncode is None
            async with httpx.AsyncClient() as http:
                try:
                    return (await http.get(f"{local.url('catalog')}/readyz")).status_code == 200
                except httpx.TransportError:
                    return False

        await eventually(ready, within_s=60)
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def test_requests_and_messages_under_way_finish_on_sigterm(bare: Bare, slow_service: Process) -> None:
    local, key, now = bare.environment.local, str(new_id()), datetime.now(UTC)
    said = PayoutFailed(occurred_at=now, instruction_id=new_id(), payout_id=new_id(), merchant_id=new_id(), code="x")
    async with bare.sending("settlement") as (settlement, _), bare.environment.database_of("catalog") as catalog:

        async def seen(*keys: str) -> bool:
            async with catalog.transaction() as tx:
                return bool(len(keys) == await tx.value("select count(*) from effects where key = any($1)", list(keys)))

        async with settlement.transaction() as tx:
            await outbox.emit(tx, said)
        async with httpx.AsyncClient(timeout=30) as http:
            request = asyncio.create_task(http.put(f"{local.url('catalog')}/effects/{key}"))
            begun = [f"begun {key}", f"begun {said.instruction_id}"]
            await eventually(lambda: seen(*begun), what="both are under way")
            slow_service.send_signal(signal.SIGTERM)
            answer = await request
        assert answer.json() == {"done": key}
        assert await asyncio.wait_for(slow_service.wait(), 30) == 0
        assert await seen(key, str(said.instruction_id)), "the message was finished, not left to be done again"
    management, vhost = bare.environment.servers.management, bare.environment.vhost

    async def acknowledged() -> bool:
        return not (await asyncio.to_thread(management.queue_depths, vhost))["catalog.reopen_payout_account"]

    await eventually(acknowledged)


async def test_a_background_task_that_ends_takes_its_process_down(monkeypatch: pytest.MonkeyPatch) -> None:
    signals: list[int] = []
    monkeypatch.setattr("os.kill", lambda pid, number: signals.append(number))

    async def dies() -> None:
        raise LookupError("a bug in a loop")

    tasks = Tasks()
    tasks.add(dies(), "outbox")

    async def signalled() -> bool:
        return signals == [signal.SIGTERM]

    await eventually(signalled)
    await tasks.stop()


async def test_the_outbox_sender_survives_a_cancellation_that_is_none_and_obeys_a_real_one(bare: Bare) -> None:
    rounds = 0

    class Spurious(outbox.OutboxSender):
        async def send_once(self) -> int:
            nonlocal rounds
            rounds += 1
            if rounds < 3:
                raise asyncio.CancelledError
            return 0

    async with bare.sending("catalog", Spurious):

        async def came_back() -> bool:
            return rounds > 3

        await eventually(came_back)
