"""The Alipay client against an independent implementation (python-alipay-sdk) and against every trap of its answers."""

import base64
import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest
from alipay import AliPay
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from shared.alipay import AlipayClient, AlipaySettings, Outcome, read_envelope, read_wire_time, wire_time

QUERY = "alipay.trade.query"


def _pem(key: rsa.RSAPrivateKey) -> tuple[str, str]:
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    public = key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )  # fmt: skip
    return private.decode(), public.decode()


@pytest.fixture(scope="module")
def app_keys() -> tuple[str, str]:
    return _pem(rsa.generate_private_key(public_exponent=65537, key_size=2048))


@pytest.fixture(scope="module")
def alipay_keys() -> tuple[str, str]:
    return _pem(rsa.generate_private_key(public_exponent=65537, key_size=2048))


@pytest.fixture
def settings(tmp_path: Path, app_keys: tuple[str, str], alipay_keys: tuple[str, str]) -> AlipaySettings:
    (tmp_path / "app.pem").write_text(app_keys[0])
    (tmp_path / "alipay.pem").write_text(alipay_keys[1])
    return AlipaySettings(
        gateway_url="https://gateway.example/gateway.do",
        app_private_key_file=tmp_path / "app.pem",
        alipay_public_key_file=tmp_path / "alipay.pem",
    )


@pytest.fixture(scope="module")
def alipay_itself(app_keys: tuple[str, str], alipay_keys: tuple[str, str]) -> AliPay:
    """The other side, played by the SDK: it signs with Alipay's key and verifies with the application's."""
    return AliPay("2021000000000001", None, alipay_keys[0], app_keys[1])


def client(settings: AlipaySettings, answer: Callable[[httpx.Request], httpx.Response]) -> AlipayClient:
    return AlipayClient(settings, httpx.AsyncClient(transport=httpx.MockTransport(answer)))


def answering(settings: AlipaySettings, body: str, status: int = 200) -> AlipayClient:
    return client(settings, lambda _: httpx.Response(status, content=body.encode()))


def envelope(alipay_itself: AliPay, raw: str, name: str = "alipay_trade_query_response") -> str:
    return f'{{"{name}":{raw},"sign":"{alipay_itself._sign(raw)}"}}'


async def test_a_request_verifies_with_the_independent_sdk(settings: AlipaySettings, alipay_itself: AliPay) -> None:
    seen: dict[str, str] = {}

    def answer(request: httpx.Request) -> httpx.Response:
        seen.update(parse_qsl(request.content.decode(), strict_parsing=True))
        return httpx.Response(500)

    await client(settings, answer).call(QUERY, {"out_trade_no": "a1", "subject": "双人火锅 & 饮料=2"})

    signature = seen.pop("sign")
    message = "&".join(f"{name}={seen[name]}" for name in sorted(seen))
    assert alipay_itself._verify(message, signature)
    assert seen["method"] == QUERY
    assert json.loads(seen["biz_content"])["subject"] == "双人火锅 & 饮料=2"


async def test_a_page_link_verifies_with_the_independent_sdk(settings: AlipaySettings, alipay_itself: AliPay) -> None:
    link = answering(settings, "").page_url(
        "alipay.trade.wap.pay", {"subject": "火锅"}, "https://shop.example/r?a=1&b=2"
    )

    fields = dict(parse_qsl(urlsplit(link).query, strict_parsing=True))
    signature = fields.pop("sign")
    assert alipay_itself._verify("&".join(f"{name}={fields[name]}" for name in sorted(fields)), signature)
    assert fields["return_url"] == "https://shop.example/r?a=1&b=2"
    assert fields["notify_url"] == settings.notify_url


async def test_an_apps_order_verifies_with_the_independent_sdk_and_is_what_it_would_sign(
    settings: AlipaySettings, alipay_itself: AliPay, app_keys: tuple[str, str], alipay_keys: tuple[str, str]
) -> None:
    terms = {
        "subject": "火锅 & 茶",
        "out_trade_no": "a1",
        "total_amount": "9.90",
        "product_code": "QUICK_MSECURITY_PAY",
    }

    ours = dict(parse_qsl(answering(settings, "").order_string("alipay.trade.app.pay", terms), strict_parsing=True))

    message = "&".join(f"{name}={ours[name]}" for name in sorted(ours) if name != "sign")
    assert alipay_itself._verify(message, ours["sign"])
    shop = AliPay(settings.app_id, None, app_keys[0], alipay_keys[1])
    signed = shop.api_alipay_trade_app_pay("火锅 & 茶", "a1", "9.90", notify_url=settings.notify_url)
    theirs = dict(parse_qsl(signed, strict_parsing=True))
    assert json.loads(ours["biz_content"]) == json.loads(theirs["biz_content"])
    by_themselves = ("sign", "biz_content", "timestamp", "format")
    assert {name: ours[name] for name in ours if name not in by_themselves} == {
        name: theirs[name] for name in theirs if name not in by_themselves
    }


async def test_a_call_that_opens_a_trade_says_where_to_notify_within_its_signature(
    settings: AlipaySettings, alipay_itself: AliPay
) -> None:
    seen: dict[str, str] = {}

    def answer(request: httpx.Request) -> httpx.Response:
        seen.update(parse_qsl(request.content.decode(), strict_parsing=True))
        return httpx.Response(500)

    await client(settings, answer).call("alipay.trade.precreate", {"out_trade_no": "a1"}, settings.notify_url)

    signature = seen.pop("sign")
    assert alipay_itself._verify("&".join(f"{name}={seen[name]}" for name in sorted(seen)), signature)
    assert seen["notify_url"] == settings.notify_url


async def test_the_signature_is_checked_on_the_raw_text_with_braces_and_escapes_inside_values(
    settings: AlipaySettings, alipay_itself: AliPay
) -> None:
    raw = r'{"code":"10000", "subject":"a \"}{\" \\ b","url":"http:\/\/x","zh":"\u706b锅", "n":{"m":["]"]}}'

    answer = await answering(settings, envelope(alipay_itself, raw)).call(QUERY, {})

    assert answer.outcome is Outcome.OK
    assert answer.fields["subject"] == 'a "}{" \\ b'


async def test_a_signature_before_the_node_is_read_too(settings: AlipaySettings, alipay_itself: AliPay) -> None:
    raw = '{"code":"10000","msg":"Success"}'
    body = f'{{ "sign" : "{alipay_itself._sign(raw)}" ,\n"alipay_trade_query_response" : {raw} }}'

    assert (await answering(settings, body).call(QUERY, {})).outcome is Outcome.OK


@pytest.mark.parametrize(
    "body",
    [
        '{"alipay_trade_query_response":{"code":"10000","msg":"Success"}}',
        '{"alipay_trade_query_response":{"code":"10000","msg":"Success"},"sign":"bm90IGdlbnVpbmU="}',
        '{"alipay_trade_query_response":{"code":"10000","msg":"Success"},"sign":"%"}',
        '{"alipay_trade_query_response":{"code":"40004","sub_code":"ACQ.TRADE_NOT_EXIST"},"sign":"bm90IGdlbnVpbmU="}',
    ],
)
async def test_an_answer_whose_signature_does_not_hold_means_unknown(settings: AlipaySettings, body: str) -> None:
    assert (await answering(settings, body).call(QUERY, {})).outcome is Outcome.UNKNOWN


async def test_a_changed_amount_does_not_pass_for_a_success(settings: AlipaySettings, alipay_itself: AliPay) -> None:
    body = envelope(alipay_itself, '{"code":"10000","total_amount":"1.00"}').replace('"1.00"', '"0.01"')

    assert (await answering(settings, body).call(QUERY, {})).outcome is Outcome.UNKNOWN


@pytest.mark.parametrize(
    ("node", "outcome"),
    [
        ({"code": "40004", "sub_code": "ACQ.TRADE_NOT_EXIST"}, Outcome.REFUSED),
        ({"code": "40002", "sub_code": "isv.invalid-signature"}, Outcome.REFUSED),
        ({"code": "40004", "sub_code": "ACQ.SYSTEM_ERROR"}, Outcome.UNKNOWN),
        ({"code": "40004", "sub_code": "aop.ACQ.SYSTEM_ERROR"}, Outcome.UNKNOWN),
        ({"code": "20000", "sub_code": "isp.unknow-error"}, Outcome.UNKNOWN),
        ({"code": "40005", "sub_code": "isv.app-call-limited"}, Outcome.NOT_SENT),
        ({"code": "10003", "msg": "order success pay inprocess"}, Outcome.UNKNOWN),
        ({"msg": "no code at all"}, Outcome.UNKNOWN),
    ],
)
async def test_codes_mean_what_the_documents_say(
    settings: AlipaySettings, alipay_itself: AliPay, node: dict[str, str], outcome: Outcome
) -> None:
    answer = await answering(settings, envelope(alipay_itself, json.dumps(node))).call(QUERY, {})

    assert answer.outcome is outcome
    assert answer.sub_code == node.get("sub_code", "")


async def test_an_unsigned_refusal_of_the_gateway_is_a_refusal(settings: AlipaySettings) -> None:
    body = '{"error_response":{"code":"40002","msg":"Invalid Arguments","sub_code":"isv.invalid-app-id"}}'

    answer = await answering(settings, body).call(QUERY, {})

    assert (answer.outcome, answer.sub_code) == (Outcome.REFUSED, "isv.invalid-app-id")


@pytest.mark.parametrize(
    "body",
    [
        "",
        "<html>502</html>",
        "[]",
        '{"a":1',
        '{"alipay_trade_query_response":[]}',
        '{"sign":"x"}',
        "[" * 100_000,
        "{}x",
    ],
)
async def test_an_unreadable_answer_means_unknown(settings: AlipaySettings, body: str) -> None:
    assert (await answering(settings, body).call(QUERY, {})).outcome is Outcome.UNKNOWN


async def test_a_server_error_means_unknown_even_with_a_readable_body(settings: AlipaySettings) -> None:
    body = '{"error_response":{"code":"40002"}}'
    assert (await answering(settings, body, status=502).call(QUERY, {})).outcome is Outcome.UNKNOWN


@pytest.mark.parametrize(
    ("failure", "outcome"),
    [
        (httpx.ConnectError("refused"), Outcome.NOT_SENT),
        (httpx.ConnectTimeout("no route"), Outcome.NOT_SENT),
        (httpx.ReadTimeout("silence"), Outcome.UNKNOWN),
        (httpx.RemoteProtocolError("cut"), Outcome.UNKNOWN),
        (httpx.WriteError("cut while sending"), Outcome.UNKNOWN),
    ],
)
async def test_only_a_call_that_never_left_is_called_not_sent(
    settings: AlipaySettings, failure: Exception, outcome: Outcome
) -> None:
    def fail(_: httpx.Request) -> httpx.Response:
        raise failure

    assert (await client(settings, fail).call(QUERY, {})).outcome is outcome


def notify(alipay_itself: AliPay, **fields: str) -> dict[str, str]:
    content = "&".join(f"{name}={fields[name]}" for name in sorted(fields))
    return {**fields, "sign_type": "RSA2", "sign": alipay_itself._sign(content)}


def test_a_notify_signed_by_the_independent_sdk_is_genuine_with_unknown_fields(
    settings: AlipaySettings, alipay_itself: AliPay
) -> None:
    fields = notify(alipay_itself, out_trade_no="a1", total_amount="9.90", field_of_next_year="新 & =", notify_id="n")

    assert answering(settings, "").verify_notify(fields)


@pytest.mark.parametrize("change", [{"total_amount": "0.01"}, {"extra": "1"}, {"sign": ""}, {"sign_type": "RSA"}])
def test_a_changed_notify_is_not_genuine(
    settings: AlipaySettings, alipay_itself: AliPay, change: dict[str, str]
) -> None:
    fields = notify(alipay_itself, out_trade_no="a1", total_amount="9.90") | change

    assert not answering(settings, "").verify_notify(fields)


def test_a_notify_signed_by_ourselves_is_not_genuine(settings: AlipaySettings, app_keys: tuple[str, str]) -> None:
    ourselves = AliPay("2021000000000001", None, app_keys[0], app_keys[1])

    assert not answering(settings, "").verify_notify(notify(ourselves, out_trade_no="a1"))


def test_keys_may_be_the_bare_base64_of_alipays_tool(settings: AlipaySettings, alipay_itself: AliPay) -> None:
    def bare(path: Path) -> None:
        lines = path.read_text().splitlines()
        path.write_text("".join(line for line in lines if "-----" not in line))

    bare(settings.app_private_key_file)
    bare(settings.alipay_public_key_file)

    assert answering(settings, "").verify_notify(notify(alipay_itself, out_trade_no="a1"))


def test_moments_are_written_on_the_wall_clock_of_shanghai() -> None:
    moment = datetime(2026, 11, 22, 16, 30, 5, tzinfo=UTC)

    assert wire_time(moment) == "2026-11-23 00:30:05"
    assert read_wire_time("2026-11-23 00:30:05.000") == moment


def test_the_raw_node_is_returned_character_for_character() -> None:
    raw = '{ "code" : "10000" , "a":1.50 }'
    signature = base64.b64encode(b"x").decode()

    found: tuple[str, dict[str, Any], str] = read_envelope(
        f'{{"alipay_trade_query_response":{raw},"sign":"{signature}"}}', QUERY
    )
    assert found[0] == raw
    assert found[2] == signature
