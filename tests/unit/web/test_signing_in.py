"""Who the visitor is: the code flow, the sealed cookie, fresh tokens, and forms that are really ours."""

import asyncio
import time
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from services.web.routes.sign_in import inside
from services.web.sealed_cookies import CookieSeals
from services.web.settings import Settings
from tests.unit.web.conftest import SignIn, csrf_of
from tests.unit.web.town import HOTPOT, VOUCHER_ORDER, Town, token_for


async def test_a_page_for_buyers_leads_to_the_sign_in_and_back(browser: httpx.AsyncClient) -> None:
    asked = await browser.get(f"/d/{HOTPOT}/buy?source=v1")
    assert asked.status_code == 303
    assert asked.headers["location"] == f"/login?next=%2Fd%2F{HOTPOT}%2Fbuy%3Fsource%3Dv1"
    leave = await browser.get(asked.headers["location"])
    sent = parse_qs(urlsplit(leave.headers["location"]).query)
    assert sent["code_challenge_method"] == ["S256"]
    assert len(sent["code_challenge"][0]) == 43
    back = await browser.get("/login/callback", params={"code": "code-of-buyer-an", "state": sent["state"][0]})
    assert back.headers["location"] == f"/d/{HOTPOT}/buy?source=v1"
    assert (await browser.get(back.headers["location"])).status_code == 200


async def test_tokens_never_reach_the_browser_in_the_open(browser: httpx.AsyncClient, sign_in: SignIn) -> None:
    await sign_in("buyer-an")
    cookie = browser.cookies["session"]
    assert token_for("buyer-an").split(".")[1] not in cookie
    kept = (await browser.get("/login")).headers["set-cookie"]
    assert "HttpOnly" in kept
    assert "SameSite=Lax" in kept


async def test_an_answer_to_somebody_elses_attempt_is_refused(browser: httpx.AsyncClient) -> None:
    await browser.get("/login")
    for params in ({"code": "code-of-buyer-an", "state": "guessed"}, {"code": "", "state": ""}):
        back = await browser.get("/login/callback", params=params)
        assert back.status_code == 400
        assert "登录没有完成" in back.text
        assert "session" not in browser.cookies


async def test_an_answer_that_names_another_issuer_is_refused(browser: httpx.AsyncClient) -> None:
    leave = await browser.get("/login")
    state = parse_qs(urlsplit(leave.headers["location"]).query)["state"][0]
    back = await browser.get("/login/callback", params={"code": "code-of-x", "state": state, "iss": "http://evil.town"})
    assert back.status_code == 400


async def test_a_code_that_the_issuer_refuses_signs_nobody_in(browser: httpx.AsyncClient) -> None:
    leave = await browser.get("/login")
    state = parse_qs(urlsplit(leave.headers["location"]).query)["state"][0]
    back = await browser.get("/login/callback", params={"code": "code-of-nobody", "state": state})
    assert back.status_code == 400


@pytest.mark.parametrize(
    "address", ["//evil.example", "/\\evil.example", "https://evil.example", "evil", "/a\nb", "/" + "a" * 600]
)
def test_the_sign_in_never_leads_to_another_site(address: str) -> None:
    assert inside(address) == "/"
    assert inside("/orders?filter=all") == "/orders?filter=all"


async def _age(browser: httpx.AsyncClient, settings: Settings, **changes: object) -> None:
    seals = CookieSeals(settings)
    facts = seals.open(browser.cookies["session"])
    assert facts is not None
    aged = seals.seal({**facts, **changes})
    browser.cookies.clear()
    browser.cookies.set("session", aged)


async def test_a_token_near_its_end_is_refreshed_once_for_all_requests_of_a_page(
    browser: httpx.AsyncClient, sign_in: SignIn, town: Town, settings: Settings
) -> None:
    await sign_in("buyer-an")
    await _age(browser, settings, expires_at=int(time.time()) + 20)
    answers = await asyncio.gather(*(browser.get(path) for path in ("/me", "/orders", f"/orders/{VOUCHER_ORDER}")))
    assert [answer.status_code for answer in answers] == [200, 200, 200]
    assert town.refreshes == 1


async def test_a_session_whose_refresh_is_refused_ends(
    browser: httpx.AsyncClient, sign_in: SignIn, settings: Settings
) -> None:
    await sign_in("buyer-an")
    await _age(browser, settings, expires_at=0, refresh_token="refresh.nobody.0")
    assert (await browser.get("/orders")).headers["location"].startswith("/login")


async def test_a_silent_issuer_does_not_end_a_session(
    browser: httpx.AsyncClient, sign_in: SignIn, town: Town, settings: Settings
) -> None:
    await sign_in("buyer-an")
    await _age(browser, settings, expires_at=int(time.time()) + 20)
    town.silent = {"issuer"}
    assert (await browser.get("/orders")).status_code == 200


async def test_a_cookie_that_was_changed_is_nobodys(browser: httpx.AsyncClient, sign_in: SignIn) -> None:
    await sign_in("buyer-an")
    sealed = browser.cookies["session"]
    browser.cookies.clear()
    browser.cookies.set("session", sealed[:-6] + "AAAAAA")
    assert (await browser.get("/orders")).headers["location"].startswith("/login")


async def test_a_form_without_the_sessions_token_is_refused(
    browser: httpx.AsyncClient, sign_in: SignIn, town: Town
) -> None:
    await sign_in("buyer-an")
    for token in ({}, {"csrf": ""}, {"csrf": "guessed"}):
        answer = await browser.post(f"/orders/{VOUCHER_ORDER}/refund", data={**token, "reason": "other"})
        assert answer.status_code == 403
        assert "页面已过期" in answer.text
    assert town.heard == []


async def test_a_form_from_another_site_is_refused_even_with_the_token(
    browser: httpx.AsyncClient, sign_in: SignIn, town: Town
) -> None:
    await sign_in("buyer-an")
    csrf = csrf_of((await browser.get("/me")).text)
    for origin in ("https://evil.example", "null"):
        answer = await browser.post("/logout", data={"csrf": csrf}, headers={"origin": origin})
        assert answer.status_code == 403
    kept = await browser.post("/logout", data={"csrf": csrf}, headers={"origin": "http://pages.town"})
    assert kept.status_code == 303
    assert "session" not in browser.cookies


async def test_a_form_after_the_session_ended_asks_to_sign_in_again(browser: httpx.AsyncClient) -> None:
    back_to = {"referer": f"http://pages.town/orders/{VOUCHER_ORDER}"}
    answer = await browser.post(f"/orders/{VOUCHER_ORDER}/pay", data={"csrf": "x"}, headers=back_to)
    assert answer.status_code == 401
    assert f"/login?next=%2Forders%2F{VOUCHER_ORDER}" in answer.text


async def test_a_piece_of_a_page_leads_the_whole_page_to_the_sign_in(browser: httpx.AsyncClient) -> None:
    here = {"hx-request": "true", "hx-current-url": f"http://pages.town/orders/{VOUCHER_ORDER}"}
    answer = await browser.get(f"/orders/{VOUCHER_ORDER}/ticket", headers=here)
    assert answer.headers["hx-redirect"] == f"/login?next=%2Forders%2F{VOUCHER_ORDER}"


async def test_a_token_that_the_services_refuse_ends_the_session(
    browser: httpx.AsyncClient, sign_in: SignIn, town: Town
) -> None:
    await sign_in("buyer-an")
    csrf = csrf_of((await browser.get("/me")).text)
    town.tokens_refused = True
    answer = await browser.post(f"/orders/{VOUCHER_ORDER}/receipt", data={"csrf": csrf, "parcel_id": VOUCHER_ORDER})
    assert answer.status_code == 401
    assert "session" not in browser.cookies


def test_production_refuses_to_start_without_a_key_for_its_cookies() -> None:
    with pytest.raises(ValueError, match="GROUPBUY_SEAL_KEYS"):
        Settings(environment="production", seal_keys={})


async def test_developers_find_their_way_in_and_production_has_no_such_door(
    browser: httpx.AsyncClient, settings: Settings
) -> None:
    page = (await browser.get("/dev")).text
    assert "/login?hint=buyer-an" in page
    assert (await browser.get("/styleguide")).status_code == 200
    settings.environment = "production"
    for path in ("/dev", "/styleguide"):
        assert (await browser.get(path)).status_code == 404
