"""What happened while certificates were out of use, made up for when they come back."""

from collections.abc import Mapping
from uuid import UUID

from services.redemption.domain.certificates import CertificateState, Order
from services.redemption.use_cases.expiry import expire_if_over, say_again
from services.redemption.use_cases.recalls import recall_units
from services.redemption.use_cases.third_party import say_failed, wait_for_codes
from shared.database import Transaction


async def make_up(tx: Transaction, order: Order, came_back: Mapping[UUID, CertificateState]) -> None:
    """Stores were lost, codes never came, time ran out: each of these certificates of an order, which are now in these
    states, is recalled, failed or expired. The caller has shared the merchant (recalls) before they came back."""
    recalled = await recall_units(tx, came_back)
    left = {unit_id: state for unit_id, state in came_back.items() if unit_id not in recalled}
    if CertificateState.ISSUING in left.values() and order.codes_due_at is not None:
        await wait_for_codes(tx, order.order_id, order.codes_due_at)
    failed = [unit_id for unit_id, state in left.items() if state is CertificateState.ISSUE_FAILED]
    await say_failed(tx, [(unit_id, order.order_id) for unit_id in failed])
    await say_again(tx, [unit_id for unit_id, state in left.items() if state is CertificateState.EXPIRED])
    await expire_if_over(tx, [unit_id for unit_id, state in left.items() if state is CertificateState.VALID])
