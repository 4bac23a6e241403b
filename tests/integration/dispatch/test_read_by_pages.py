"""What dispatch answers is what the pages read: no field that they look for is missing, so that none is shown empty."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any, get_args

from services.web.gateways.deliveries import Alert, CancelTerms, Decision, Delivery
from services.web.gateways.dispatch import BoardParcel, Parcel
from services.web.gateways.service import View
from shared.contracts.catalog import DeliveryMode
from tests.integration.dispatch.stage import Stage, as_


def _missing(view: type[View], answer: Any) -> Iterator[str]:
    """The fields that a view reads and the answer has not, also in views within it."""
    for name, field in view.model_fields.items():
        if name not in answer:
            yield f"{view.__name__}.{name}"
            continue
        inner = next((part for part in (field.annotation, *get_args(field.annotation)) if _is_view(part)), None)
        if inner is None or not answer[name]:
            continue
        for one in answer[name] if isinstance(answer[name], list) else [answer[name]]:
            yield from _missing(inner, one)


def _is_view(part: object) -> bool:
    return isinstance(part, type) and issubclass(part, View)


async def test_every_field_that_the_pages_read_is_answered(stage: Stage) -> None:
    shop = await stage.open_shop("ishansong", "dada")
    short = {"operation": "orderPlace", "fault": "business_error", "code": "80007", "times": 1}
    await stage.faults("ishansong", short)
    order = await stage.accepted(shop, DeliveryMode.INSTANT)
    await stage.until_attempt(order, "SEARCHING", 2)
    await stage.rider(order, "accept", number=2)
    await stage.until_attempt(order, "ASSIGNED", 2)
    await stage.pass_time(timedelta(seconds=61))
    parcel_id = await stage.parcel_id(order)

    async def asked(path: str, who: str = shop.clerk) -> Any:
        answer = await stage.http.get(path, headers=as_(who))
        assert answer.status_code == 200, answer.text
        return answer.json()

    tracking = await asked(f"/orders/{order.order_id}/tracking", order.buyer)
    (board,) = (await asked(f"/board?merchant_id={shop.merchant_id}"))["items"]
    decisions = (await asked(f"/parcels/{parcel_id}/decisions"))["items"]
    (alert,) = (await asked(f"/board/alerts?merchant_id={shop.merchant_id}"))["items"]
    answers: list[tuple[type[View], Any]] = [
        (Parcel, tracking),
        (Delivery, await stage.shown(order, shop.clerk)),
        (BoardParcel, board),
        (Decision, decisions[-1]),
        (CancelTerms, await asked(f"/parcels/{parcel_id}/cancel-terms")),
        (Alert, alert),
    ]
    assert tracking["position"], "there is a rider to be seen"
    assert tracking["rider"]
    for view, answer in answers:
        view.model_validate(answer)
    missing = {field for view, answer in answers for field in _missing(view, answer)}
    # Who is refused was never asked for a price.
    assert missing - {"Candidate.quoted", "Candidate.fee_fen", "Candidate.eta_s"} == set()
