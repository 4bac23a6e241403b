"""A shipment as use cases hand it to carriers."""

from services.dispatch.domain.routing import GeoPoint
from services.dispatch.gateways.port import Party, Shipment

SHIPMENT = Shipment(
    pickup=Party("鲜果铺", "02812345678", "成都市", "成都市春熙路 1 号", GeoPoint(30.65, 104.08)),
    dropoff=Party("王小明", "13800138000", "成都市", "四川省成都市锦江区人民路 2 号", GeoPoint(30.66, 104.07)),
    title="当季水果礼盒",
    units=2,
    weight_g=2500,
    category="fruit",
    value_fen=12_850,
    order_no="20261122000001",
)
