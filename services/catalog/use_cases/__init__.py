"""What catalog can do: one function per verb, in the caller's transaction, one module per subject."""

from services.catalog.use_cases.attribution import attribution
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
from services.catalog.use_cases.feed import SUPPORT_CHANGED, feed, rank_supported
from services.catalog.use_cases.livestreams import list_deals, livestream, livestreams_on_air, register_livestream
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
from services.catalog.use_cases.shares import share_deal, shared_deal
from services.catalog.use_cases.staff import my_workplaces, put_staff
from services.catalog.use_cases.stores import claim_store, decide_store
from services.catalog.use_cases.videos import attach_deal, register_video, video, videos_of

__all__ = [
    "SUPPORT_CHANGED",
    "MerchantFile",
    "WorkQueue",
    "announce_deals",
    "apply_as_merchant",
    "attach_deal",
    "attribution",
    "claim_store",
    "deal_page",
    "decide_application",
    "decide_payout_account",
    "decide_store",
    "draft_of",
    "feed",
    "keep_availability",
    "list_deals",
    "livestream",
    "livestreams_on_air",
    "merchant_file",
    "my_workplaces",
    "put_staff",
    "rank_supported",
    "register_livestream",
    "register_video",
    "reopen_payout_account",
    "review_deal",
    "save_draft",
    "seed_first_operator",
    "share_deal",
    "shared_deal",
    "submit_deal",
    "submit_payout_account",
    "switch_sale",
    "video",
    "videos_of",
    "work_queue",
]
