"""What a carrier answers to calls that it does not have; an adapter replaces those that it has."""

from services.dispatch.gateways.port import (
    CancelTerms,
    ProviderRef,
    Quote,
    Result,
    RiderPosition,
    Shipment,
    unsupported,
)


class PlainCarrier:
    """Refuses every optional call of the port, by name."""

    @property
    def address_token(self) -> str | None:
        return None

    async def holds_back(self) -> bool:
        return False

    async def quote(self, _shipment: Shipment, _key: str, _url: str, /) -> Result[Quote]:
        return unsupported("quote")

    async def cancel_terms(self, _ref: ProviderRef, /) -> Result[CancelTerms]:
        return unsupported("cancel_terms")

    async def position(self, _ref: ProviderRef, /) -> Result[RiderPosition]:
        return unsupported("position")

    async def tip(self, _ref: ProviderRef, _tip_fen: int, /) -> Result[None]:
        return unsupported("tip")

    async def confirm_return(self, _ref: ProviderRef, /) -> Result[None]:
        return unsupported("confirm_return")

    async def subscribe(self, _ref: ProviderRef, _url: str, /) -> Result[None]:
        return unsupported("subscribe")
