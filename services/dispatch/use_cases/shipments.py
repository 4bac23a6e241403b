"""A parcel as a carrier needs it; the only place where its address is opened for one."""

from services.dispatch.domain.routing import GeoPoint
from services.dispatch.gateways.port import Party, ProviderRef, Shipment
from services.dispatch.store import copies
from services.dispatch.store.attempts import Attempt
from services.dispatch.store.parcels import Parcel
from services.dispatch.world import DispatchWorld
from shared.database import Transaction


async def shipment_of(tx: Transaction, world: DispatchWorld, parcel: Parcel) -> Shipment:
    """What is to be carried from where to where."""
    store = await copies.find_store(tx, parcel.store_id)
    assert store is not None, "a parcel's store was known when the parcel was opened"
    address = world.address(parcel.sealed_address)
    return Shipment(
        pickup=Party(store.name, national(store.phone), store.city, f"{store.city}{store.address}", store.place),
        dropoff=Party(
            address.name,
            national(address.phone),
            address.city,
            f"{address.province}{address.city}{address.district}{address.street}",
            GeoPoint(address.latitude, address.longitude),
        ),
        title=parcel.title,
        units=len(parcel.unit_ids),
        weight_g=parcel.weight_g,
        category=parcel.category,
        value_fen=parcel.value_fen,
        order_no=parcel.order_no,
        needs_code=parcel.value_fen > world.policy.photo_up_to_fen,
    )


def national(phone: str) -> str:
    """As it is dialled in the country: +8613800138000 → 13800138000."""
    return phone.removeprefix("+86")


def reference(world: DispatchWorld, parcel: Parcel, attempt: Attempt) -> ProviderRef:
    """The attempt as its carrier knows it."""
    phone = national(world.address(parcel.sealed_address).phone)
    return ProviderRef(attempt.key, attempt.provider_id, attempt.waybill, phone, attempt.quote_token)
