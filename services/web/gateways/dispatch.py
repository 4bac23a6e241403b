"""Dispatch as the pages see it: the buyer's parcel and the merchant's board."""

from datetime import datetime
from typing import Any
from uuid import UUID

from services.web.gateways.checkout import Happening
from services.web.gateways.service import Asker, File, Service, View


class Rider(View):
    name: str = ""
    masked_phone: str = ""


class Position(View):
    """Where the rider was, how far from the door, and about how long the rest of the way takes."""

    at: datetime
    distance_m: int | None = None
    eta_s: int | None = None


class Parcel(View):
    """Goods on their way, as their buyer follows them. There is a position only while a rider is under way."""

    parcel_id: UUID
    state: str
    mode: str
    phase: str = ""
    text_zh: str = ""
    text_en: str = ""
    carrier: str | None = None
    waybill: str | None = None
    rider: Rider | None = None
    position: Position | None = None
    receive_code: str | None = None
    has_photo: bool = False
    proof: str | None = None
    delivered_at: datetime | None = None
    received_by: datetime | None = None
    timeline: tuple[Happening, ...] = ()


class Receiver(View):
    """The door: whole for the merchant's own rider, masked for everybody else."""

    name: str = ""
    phone: str = ""
    address: str = ""


class BoardParcel(View):
    parcel_id: UUID
    order_id: UUID
    state: str
    mode: str
    order_no: str = ""
    title: str = ""
    units: int | None = None
    dispatch_state: str = ""
    carrier: str | None = None
    waybill: str | None = None
    placed_at: datetime | None = None
    accept_by: datetime | None = None
    attempt_state: str | None = None
    receiver: Receiver | None = None

    @property
    def goes_by_own_rider(self) -> bool:
        """Whether the merchant hands the goods over, rather than a carrier picking them up."""
        return self.mode == "SELF" or self.dispatch_state == "MANUAL"


class RiderParcel(BoardParcel):
    """A parcel as the merchant's own rider sees it; `mine`: they have taken it."""

    mine: bool = False


class Work(View):
    items: list[RiderParcel]
    next_cursor: str | None = None


class Board(View):
    items: list[BoardParcel]
    next_cursor: str | None = None


class Dispatch(Service):
    async def parcel(self, asker: Asker, order_id: UUID) -> Parcel:
        """As its buyer follows it."""
        return Parcel.model_validate(await self.get(asker, f"/orders/{order_id}/tracking"))

    async def delivery_photo(self, asker: Asker, parcel_id: UUID) -> File:
        """What the rider left at the door."""
        return await self.file(asker, f"/parcels/{parcel_id}/delivery-photo")

    async def board(self, asker: Asker, merchant_id: UUID, cursor: str | None = None) -> Board:
        return Board.model_validate(await self.get(asker, "/board", merchant_id=str(merchant_id), cursor=cursor))

    async def accept(self, asker: Asker, parcel_id: UUID) -> None:
        await self.put(asker, f"/parcels/{parcel_id}/acceptance", {})

    async def refuse(self, asker: Asker, parcel_id: UUID, reason: str) -> None:
        await self.put(asker, f"/parcels/{parcel_id}/refusal", {"reason": reason})

    async def hand_over(self, asker: Asker, parcel_id: UUID, rider: str | None) -> None:
        body: dict[str, Any] = {"rider": rider} if rider else {}
        await self.put(asker, f"/parcels/{parcel_id}/handover", body)

    async def deliver(self, asker: Asker, parcel_id: UUID, receive_code: str) -> None:
        await self.put(asker, f"/parcels/{parcel_id}/delivery", {"receive_code": receive_code})

    async def work(self, asker: Asker, merchant_id: UUID, cursor: str | None = None) -> Work:
        return Work.model_validate(
            await self.get(asker, "/riders/parcels", merchant_id=str(merchant_id), cursor=cursor)
        )

    async def take(self, asker: Asker, parcel_id: UUID, name: str, phone: str) -> None:
        await self.put(asker, f"/parcels/{parcel_id}/rider", {"name": name, "phone": phone})

    async def give_back(self, asker: Asker, parcel_id: UUID) -> None:
        await self.delete(asker, f"/parcels/{parcel_id}/rider")

    async def deliver_with_photo(
        self, asker: Asker, parcel_id: UUID, photo: str, latitude: float, longitude: float
    ) -> None:
        body = {"photo": photo, "latitude": latitude, "longitude": longitude}
        await self.put(asker, f"/parcels/{parcel_id}/delivery-photo", body)

    async def receive(self, asker: Asker, parcel_id: UUID) -> None:
        await self.put(asker, f"/parcels/{parcel_id}/receipt", {})
