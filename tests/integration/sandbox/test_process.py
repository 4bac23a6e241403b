"""The sandbox as a process: killed, stopped, misconfigured, overfed."""

import os
import sqlite3
import stat
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from tests.integration.sandbox.stage import Shop, ShopSide, StartSandbox, client_for, until


def test_money_and_pending_notifies_survive_a_kill(start_sandbox: StartSandbox, shop: Shop, out_no: str) -> None:
    sandbox = start_sandbox(GROUPBUY_SANDBOX_ALIPAY_NOTIFY_INTERVALS_S="[1,1,1,1,1,1,1,1]")
    alipay = client_for(sandbox, shop)
    path = f"/notify/{out_no}"
    shop.answers[path] = [(500, "not yet")]
    paid = alipay.paid(out_no)
    alipay.http.post("/clock/advance", json={"seconds": 60}).raise_for_status()
    first = shop.wait_for(path)[0]

    sandbox.kill()
    shop.answers[path] = [(200, "success")]
    seen = len(shop.at(path))
    sandbox.start()
    alipay = client_for(sandbox, shop)
    again = shop.wait_for(path, seen + 1)[-1]
    assert again.form["notify_id"] == first.form["notify_id"]
    assert alipay.accepts(again.form)
    assert alipay.call("alipay.trade.query", out_trade_no=out_no)["trade_no"] == paid["trade_no"]
    assert alipay.http.get("/_sim/alipay/book").json()["received_fen"] == 12800
    assert alipay.http.get("/clock").json()["offset_s"] == 60


def test_every_answered_payment_is_in_the_book_after_kills_at_any_moment(
    start_sandbox: StartSandbox, shop: Shop, out_no: str
) -> None:
    sandbox = start_sandbox()
    answered = 0
    for round_no in range(3):
        alipay = client_for(sandbox, shop)
        for payment_no in range(10):
            alipay.paid(f"{out_no}_{round_no}_{payment_no}", "1.00")
            answered += 1
        sandbox.kill()
        sandbox.start()
    book = client_for(sandbox, shop).http.get("/_sim/alipay/book").json()
    assert book["received_fen"] == answered * 100
    with sqlite3.connect(sandbox.directory / "state.sqlite3") as state:
        assert state.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_an_asked_for_stop_ends_cleanly(start_sandbox: StartSandbox) -> None:
    sandbox = start_sandbox()
    assert sandbox.stop() == 0
    assert "Traceback" not in sandbox.log()


def run(*arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "services.sandbox", *arguments],
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
        env={"PATH": os.environ["PATH"], **environment},
    )


def test_production_is_refused(keys_directory: Path, tmp_path: Path) -> None:
    refused = run(
        GROUPBUY_ENVIRONMENT="production",
        GROUPBUY_SANDBOX_KEYS=str(keys_directory),
        GROUPBUY_SANDBOX_STATE=str(tmp_path / "state.sqlite3"),
    )
    assert refused.returncode != 0
    assert "GROUPBUY_ENVIRONMENT" in refused.stderr
    assert not (tmp_path / "state.sqlite3").exists()


def test_missing_keys_are_named_with_the_command_that_makes_them(tmp_path: Path) -> None:
    refused = run(GROUPBUY_SANDBOX_KEYS=str(tmp_path), GROUPBUY_SANDBOX_STATE=str(tmp_path / "state.sqlite3"))
    assert refused.returncode != 0
    assert "app_public.pem" in refused.stderr
    assert "services.sandbox keys" in refused.stderr


def test_keys_are_made_once_and_readable_only_by_their_owner(tmp_path: Path) -> None:
    made = run("keys", str(tmp_path)).stdout.split()
    assert sorted(made) == sorted(path.name for path in tmp_path.iterdir())
    assert len(made) == 5
    assert {stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()} == {0o600}
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert run("keys", str(tmp_path)).stdout == ""
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_too_large_a_body_is_refused(alipay: ShopSide) -> None:
    answer = alipay.http.post("/alipay/gateway.do", content=b"a=" + b"x" * 300_000)
    assert (answer.status_code, answer.json()["code"]) == (413, "body_too_large")


def test_the_landing_page_and_its_style_come_from_the_sandbox_alone(http: httpx.Client) -> None:
    landing = http.get("/")
    assert landing.status_code == 200
    assert "http://" not in landing.text.replace(str(http.base_url), "")
    assert "https://" not in landing.text
    assert http.get("/static/sandbox.css").status_code == 200


def test_a_broker_that_does_not_answer_does_not_keep_the_clock_from_moving(start_sandbox: StartSandbox) -> None:
    sandbox = start_sandbox(
        GROUPBUY_AMQP_URL="amqp://nobody:nothing@127.0.0.1:1/", GROUPBUY_SANDBOX_CLOCK_CONFIRM_TIMEOUT_S="0.5"
    )
    with httpx.Client(base_url=sandbox.url, trust_env=False, timeout=30) as http:
        moved = http.post("/clock/advance", json={"seconds": 10})
        assert (moved.status_code, moved.json()["code"]) == (503, "clock_broadcast_failed")
        assert http.get("/clock").json()["offset_s"] == 10


@pytest.mark.parametrize("offset_s", ["1e400", '"a"', "null", "400000000"])
def test_an_impossible_offset_is_refused(http: httpx.Client, offset_s: str) -> None:
    answer = http.put("/clock", content=f'{{"offset_s": {offset_s}}}', headers={"content-type": "application/json"})
    assert answer.status_code == 422


def test_finished_deliveries_are_forgotten_beyond_the_limit(
    start_sandbox: StartSandbox, shop: Shop, out_no: str
) -> None:
    sandbox = start_sandbox(GROUPBUY_SANDBOX_KEEP_FINISHED="100")
    alipay = client_for(sandbox, shop)
    for payment_no in range(105):
        alipay.paid(f"{out_no}_{payment_no}", "1.00")

    def kept() -> bool:
        with sqlite3.connect(sandbox.directory / "state.sqlite3") as state:
            counted = state.execute("SELECT state, COUNT(*) FROM outgoing GROUP BY state").fetchall()
        return counted == [("done", 100)]

    until(kept, "only the newest hundred deliveries are kept")
