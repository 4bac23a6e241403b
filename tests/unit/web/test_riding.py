"""A rider's page: take, pick up, deliver with the buyer's code or a photo."""

import httpx

from tests.unit.web.conftest import SignIn, csrf_of
from tests.unit.web.town import HOTPOT_MERCHANT, PARCEL, Town


async def test_a_rider_sees_what_is_theirs_and_what_may_be_taken(browser: httpx.AsyncClient, sign_in: SignIn) -> None:
    await sign_in("merchant-hotpot")
    page = (await browser.get("/ride")).text
    for shown in ("我的配送", "待接的配送", "接单配送", "已取货，出发", "确认送达", "拍照并送达", "滨海大道"):
        assert shown in page
    # The door's phone is for who carries the goods there.
    assert page.count("tel:+8613800138000") == 2


async def test_every_step_of_a_delivery_is_one_form(browser: httpx.AsyncClient, sign_in: SignIn, town: Town) -> None:
    await sign_in("merchant-hotpot")
    desk = {"csrf": csrf_of((await browser.get("/ride")).text), "merchant": HOTPOT_MERCHANT}
    photo = {"photo": "/9j/AAAA", "latitude": "20.03", "longitude": "110.33"}
    for step, body in (
        ("rider", {"name": "小李 ", "phone": "13800138001"}),
        ("return", {}),
        ("handover", {}),
        ("delivery", {"receive_code": "402817"}),
        ("delivery-photo", photo),
    ):
        back = await browser.post(f"/ride/{PARCEL}/{step}", data={**desk, **body})
        assert (back.status_code, back.headers["location"]) == (303, f"/ride?merchant={HOTPOT_MERCHANT}")
    assert [(method, path.rsplit("/", 1)[1], body) for method, path, body in town.heard] == [
        ("PUT", "rider", {"name": "小李", "phone": "13800138001"}),
        ("DELETE", "rider", None),
        ("PUT", "handover", {}),
        ("PUT", "delivery", {"receive_code": "402817"}),
        ("PUT", "delivery-photo", {"photo": "/9j/AAAA", "latitude": 20.03, "longitude": 110.33}),
    ]
