"""From a paid order to certificates."""

import secrets
from uuid import uuid4

import httpx
import pytest

from services.redemption import consumers
from services.redemption.domain.codes import Codes
from shared.contracts.catalog import DealKind
from shared.contracts.redemption import CertificatesIssued
from shared.contracts.use_rules import UseRules, use_window
from tests.integration.redemption.stage import Stage, again, as_, units_of
from tests.unit.redemption.test_symbols import decoded


async def test_a_paid_order_gets_one_certificate_per_unit(stage: Stage) -> None:
    shop = await stage.open_shop()
    order = await stage.pay(shop, units=3, rules=UseRules(valid_days=7))
    items = await stage.certificates(order)
    window = use_window(order.rules, order.paid_at)
    assert [item["unit_id"] for item in items] == [str(unit_id) for unit_id in units_of(order)]
    assert {item["state"] for item in items} == {"VALID"}
    assert {item["until"] for item in items} == {window.until.isoformat().replace("+00:00", "Z")}
    assert {tuple(item["store_names"]) for item in items} == {(shop.name,)}
    assert len({item["code"] for item in items}) == 3
    (issued,) = await stage.said(CertificatesIssued, order.order_id)
    assert issued.unit_ids == tuple(units_of(order))


async def test_the_codes_that_the_buyer_sees_are_the_ones_that_are_drawn(stage: Stage) -> None:
    shop = await stage.open_shop()
    (item,) = await stage.certificates(await stage.pay(shop))
    assert len(item["code"]) == 12
    assert decoded(item["barcode_svg"])[0] == item["code"]
    token, _ = decoded(item["qr_svg"])
    assert (await stage.prepare(shop, scanned=token)).status_code == 200


async def test_a_copy_of_the_order_changes_nothing(stage: Stage) -> None:
    order = await stage.pay(await stage.open_shop())
    before = await stage.certificates(order)
    await consumers.issue_certificates(order, stage.db, stage.world)
    await consumers.issue_certificates(again(order), stage.db, stage.world)
    assert [item["code"] for item in await stage.certificates(order)] == [item["code"] for item in before]
    assert len(await stage.said(CertificatesIssued, order.order_id)) == 1


async def test_goods_get_no_certificate(stage: Stage) -> None:
    order = stage.order(await stage.open_shop(), kind=DealKind.GOODS)
    await consumers.issue_certificates(order, stage.db, stage.world)
    assert await stage.states(order) == []


async def test_a_code_that_is_taken_is_drawn_again(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    shop = await stage.open_shop()
    taken = int(await stage.code(await stage.pay(shop)))
    draws = iter([taken, taken, (taken + 1) % 10**12])
    monkeypatch.setattr(secrets, "randbelow", lambda _: next(draws))
    order = await stage.pay(shop)
    assert int(await stage.code(order)) == (taken + 1) % 10**12


async def test_only_the_buyer_sees_the_codes(stage: Stage) -> None:
    shop = await stage.open_shop()
    order = await stage.pay(shop)

    async def status(subject: str) -> tuple[int, str]:
        answer: httpx.Response = await stage.http.get(f"/orders/{order.order_id}/certificates", headers=as_(subject))
        return answer.status_code, answer.json().get("code", "")

    assert await status("somebody-else") == (404, "not_found")
    assert await status(shop.clerk) == (404, "not_found")
    assert (await stage.http.get(f"/orders/{uuid4()}/certificates", headers=as_(order.buyer))).status_code == 404


async def test_no_code_stands_in_the_database_in_the_clear(stage: Stage) -> None:
    order = await stage.pay(await stage.open_shop())
    code = await stage.code(order)
    async with stage.db.transaction() as tx:
        row = await tx.row("select * from certificates where order_id = $1", order.order_id)
    assert code not in str(dict(row or {}))
    assert isinstance(stage.codes, Codes)


async def test_a_used_certificate_shows_when_and_where_and_no_code(stage: Stage) -> None:
    shop = await stage.open_shop()
    order = await stage.pay(shop)
    assert (await stage.redeem(shop, order)).status_code == 201
    (item,) = await stage.certificates(order)
    assert (item["state"], item["used_store_name"]) == ("USED", shop.name)
    assert item["used_at"] is not None
    assert (item["code"], item["qr_svg"], item["barcode_svg"], item["qr_expires_at"]) == (None, None, None, None)
