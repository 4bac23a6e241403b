"""Two systems of coordinates in China: ours is GCJ-02, Baidu's is BD-09; converted at the edge and nowhere else.

Source: the formula that Baidu's own map library uses; its test vector is in the design documents."""

import math

from services.dispatch.domain.routing import GeoPoint

_TWIST = math.pi * 3000.0 / 180.0
_LONGITUDE_SHIFT, _LATITUDE_SHIFT = 0.0065, 0.006


def to_baidu(place: GeoPoint) -> GeoPoint:
    """GCJ-02 → BD-09."""
    x, y = place.longitude, place.latitude
    radius = math.hypot(x, y) + 0.00002 * math.sin(y * _TWIST)
    angle = math.atan2(y, x) + 0.000003 * math.cos(x * _TWIST)
    return GeoPoint(radius * math.sin(angle) + _LATITUDE_SHIFT, radius * math.cos(angle) + _LONGITUDE_SHIFT)


def from_baidu(place: GeoPoint) -> GeoPoint:
    """BD-09 → GCJ-02, to within a metre."""
    x, y = place.longitude - _LONGITUDE_SHIFT, place.latitude - _LATITUDE_SHIFT
    radius = math.hypot(x, y) - 0.00002 * math.sin(y * _TWIST)
    angle = math.atan2(y, x) - 0.000003 * math.cos(x * _TWIST)
    return GeoPoint(radius * math.sin(angle), radius * math.cos(angle))
