"""What catalog can do: one function per verb, in the caller's transaction, one module per subject."""

from services.catalog.use_cases.deals import (
    announce_deals,
    change_stock,
    change_stores,
    draft_of,
    keep_availability,
    review_deal,
    save_draft,
    submit_deal,
    switch_sale,
)
from services.catalog.use_cases.deals_reading import ReviewSheet, deal_page, merchant_deals, review_sheet
from services.catalog.use_cases.merchants import (
    MerchantFile,
    apply_as_merchant,
    decide_application,
    merchant_file,
)
from services.catalog.use_cases.operators import WorkQueue, seed_first_operator, work_queue
from services.catalog.use_cases.payout_accounts import (
    decide_payout_account,
    reopen_payout_account,
    submit_payout_account,
)
from services.catalog.use_cases.staff import my_workplaces, put_staff
from services.catalog.use_cases.stores import claim_store, decide_store
from services.catalog.use_cases.videos import attach_deal, feed, register_video, video

__all__ = [
    "MerchantFile",
    "ReviewSheet",
    "WorkQueue",
    "announce_deals",
    "apply_as_merchant",
    "attach_deal",
    "change_stock",
    "change_stores",
    "claim_store",
    "deal_page",
    "decide_application",
    "decide_payout_account",
    "decide_store",
    "draft_of",
    "feed",
    "keep_availability",
    "merchant_deals",
    "merchant_file",
    "my_workplaces",
    "put_staff",
    "register_video",
    "reopen_payout_account",
    "review_deal",
    "review_sheet",
    "save_draft",
    "seed_first_operator",
    "submit_deal",
    "submit_payout_account",
    "switch_sale",
    "video",
    "work_queue",
]
