"""The services that the pages speak to, with the visitor's own token."""

from dataclasses import dataclass

import httpx

from services.web.gateways.catalog import Catalog, Desks
from services.web.gateways.checkout import Checkout
from services.web.gateways.deliveries import Deliveries
from services.web.gateways.dispatch import Dispatch
from services.web.gateways.identity import Issuer
from services.web.gateways.redemption import Redemption
from services.web.gateways.settlement import Settlement
from services.web.settings import Settings

__all__ = ["Backends", "connect"]


@dataclass(frozen=True, slots=True)
class Backends:
    """Every service behind the pages."""

    catalog: Catalog
    desks: Desks
    checkout: Checkout
    redemption: Redemption
    dispatch: Dispatch
    deliveries: Deliveries
    settlement: Settlement
    issuer: Issuer


def connect(settings: Settings, http: httpx.AsyncClient) -> Backends:
    """The services at the addresses of `settings`, over one connection pool."""
    return Backends(
        catalog=Catalog("catalog", settings.catalog_url, http),
        desks=Desks("catalog", settings.catalog_url, http),
        checkout=Checkout("checkout", settings.checkout_url, http),
        redemption=Redemption("redemption", settings.redemption_url, http),
        dispatch=Dispatch("dispatch", settings.dispatch_url, http),
        deliveries=Deliveries("dispatch", settings.dispatch_url, http),
        settlement=Settlement("settlement", settings.settlement_url, http),
        issuer=Issuer(settings, http),
    )
