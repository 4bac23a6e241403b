"""What catalog can do: one function per verb, in the caller's transaction, one module per subject."""

from services.catalog.use_cases.claims import appeal_claim, claims_on, compete, decide_claim
from services.catalog.use_cases.deals import (
    announce_deals,
    deal_page,
    draft_of,
    keep_availability,
    review_deal,
    save_draft,
    submit_deal,
    switch_sale,
)
from services.catalog.use_cases.merchants import (
    MerchantFile,
    apply_as_merchant,
    decide_application,
    merchant_file,
)
from services.catalog.use_cases.operators import WaitingClaim, WorkQueue, seed_first_operator, work_queue
from services.catalog.use_cases.payout_accounts import (
    decide_payout_account,
    reopen_payout_account,
    submit_payout_account,
)
from services.catalog.use_cases.search import search_deals, search_stores
from services.catalog.use_cases.staff import my_workplaces, put_staff
from services.catalog.use_cases.store_events import DEALS_CHANGED
from services.catalog.use_cases.store_page import store_page
from services.catalog.use_cases.stores import (
    StoreFile,
    change_details,
    claim_store,
    close_store,
    decide_store,
    release_store,
    say_deals_again,
    stores_of_merchant,
)
from services.catalog.use_cases.videos import attach_deal, feed, register_video, video

__all__ = [
    "DEALS_CHANGED",
    "MerchantFile",
    "StoreFile",
    "WaitingClaim",
    "WorkQueue",
    "announce_deals",
    "appeal_claim",
    "apply_as_merchant",
    "attach_deal",
    "change_details",
    "claim_store",
    "claims_on",
    "close_store",
    "compete",
    "deal_page",
    "decide_application",
    "decide_claim",
    "decide_payout_account",
    "decide_store",
    "draft_of",
    "feed",
    "keep_availability",
    "merchant_file",
    "my_workplaces",
    "put_staff",
    "register_video",
    "release_store",
    "reopen_payout_account",
    "review_deal",
    "save_draft",
    "say_deals_again",
    "search_deals",
    "search_stores",
    "seed_first_operator",
    "store_page",
    "stores_of_merchant",
    "submit_deal",
    "submit_payout_account",
    "switch_sale",
    "video",
    "work_queue",
]
