"""A shipment across the town in which the sandbox's riders live."""

from services.dispatch.domain.routing import GeoPoint
from services.dispatch.gateways.port import Party, Shipment

SHIPMENT = Shipment(
    pickup=Party("鲜果铺", "089812345678", "海口市", "海口市龙昆南路 8 号", GeoPoint(20.0231, 110.3485)),
    dropoff=Party("王小明", "13800138000", "海口市", "海南省海口市龙华区滨海大道 2 号", GeoPoint(20.03, 110.33)),
    title="当季水果礼盒",
    units=2,
    weight_g=2_500,
    category="fruit",
    value_fen=12_850,
    order_no="20261122000001",
)
