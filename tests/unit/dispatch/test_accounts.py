"""Whose account carries a merchant's parcels, and that no account gives its secrets away."""

from uuid import UUID

import httpx
import pytest
from pydantic import SecretStr, ValidationError

from services.dispatch.app import make_world
from services.dispatch.gateways.dada import Dada
from services.dispatch.gateways.ishansong import Ishansong
from services.dispatch.gateways.kuaidi100 import Kuaidi100
from services.dispatch.settings import DispatchSettings, Settings
from shared.ids import new_id

MERCHANT = UUID("0190b1c2-0000-7000-8000-000000000001")


def _settings(**more: object) -> DispatchSettings:
    needed = {
        "database_url": "postgresql://nobody@127.0.0.1/nothing", "amqp_url": "amqp://127.0.0.1/",
        "issuer": "http://issuer.test", "jwks_url": "http://issuer.test/jwks.json",
        "seal_keys": {"dispatch": {"one": "A" * 43 + "="}},
    }  # fmt: skip
    return Settings.model_validate({**needed, **more})


def test_a_merchants_own_account_replaces_the_platforms_at_that_carrier_only() -> None:
    own = {MERCHANT: {"dada": {"shop_no": "own-shop", "app_key": "own-key", "app_secret": "own-secret"}}}
    carriers = make_world(_settings(merchant_accounts=own), httpx.AsyncClient()).carriers
    mine = {carrier.provider: carrier.account for carrier in carriers.of_merchant(MERCHANT)}
    assert mine == {"self": "merchant", "dada": MERCHANT.hex, "ishansong": "platform", "kuaidi100": "platform"}
    others = {carrier.provider: carrier.account for carrier in carriers.of_merchant(new_id())}
    assert others["dada"] == "platform"
    assert carriers.of("dada", MERCHANT.hex).account == MERCHANT.hex, "an attempt stays with the account it began with"


def test_what_a_merchant_leaves_out_is_as_the_platform_has_it() -> None:
    settings = _settings(
        dada=Dada(base_url="https://carrier.test"), merchant_accounts={MERCHANT: {"dada": {"shop_no": "own-shop"}}}
    )
    (account,) = settings.accounts_of(MERCHANT)
    assert isinstance(account, Dada)
    assert (account.base_url, account.shop_no, account.name) == ("https://carrier.test", "own-shop", MERCHANT.hex)


@pytest.mark.parametrize(
    "own", [{"nobody": {}}, {"dada": {"timeout_s": 99}}, {"port": {}}, {"dada": {"calls_per_s": "many"}}]
)
def test_an_account_that_cannot_be_is_refused_at_the_start(own: dict[str, dict[str, object]]) -> None:
    with pytest.raises(ValidationError):
        _settings(merchant_accounts={MERCHANT: own})


def test_two_accounts_of_one_name_at_one_carrier_are_refused() -> None:
    with pytest.raises(ValidationError, match="name"):
        _settings(merchant_accounts={MERCHANT: {"dada": {"name": "platform", "shop_no": "own-shop"}}})


def test_secrets_stand_in_no_representation() -> None:
    settings = _settings(
        dada=Dada(app_secret=SecretStr("hush-platform")),
        merchant_accounts={MERCHANT: {"dada": {"app_secret": "hush-merchant"}}},
    )
    (account,) = settings.accounts_of(MERCHANT)
    assert "hush" not in repr(settings) + str(settings) + repr(account) + str(account)


def test_carriers_stand_where_the_deployment_keeps_them_unless_an_account_has_an_address_of_its_own() -> None:
    settings = _settings(
        carriers_url="http://sandbox.test",
        dada=Dada(base_url="https://carrier.test"),
        merchant_accounts={MERCHANT: {"ishansong": {"shop_id": "own-shop"}}},
    )
    assert settings.account(Dada).base_url == "https://carrier.test"
    assert settings.account(Ishansong).base_url == "http://sandbox.test/ishansong"
    assert settings.account(Kuaidi100).order_url == "http://sandbox.test/kuaidi100/order/borderapi.do"
    (own,) = settings.accounts_of(MERCHANT)
    assert isinstance(own, Ishansong)
    assert own.base_url == "http://sandbox.test/ishansong"


def test_production_sends_no_parcel_to_a_sandbox() -> None:
    with pytest.raises(ValidationError, match="CARRIERS_URL"):
        _settings(environment="production", carriers_url="http://sandbox.test")
