"""What catalog can do: one function per verb, in the caller's transaction, one module per subject."""

from services.catalog.use_cases.attribution import (
    attribution,
)
from services.catalog.use_cases.claims import (
    appeal_claim,
    claims_on,
    compete,
    decide_claim,
)
from services.catalog.use_cases.deal_reviews import (
    review_deal,
)
from services.catalog.use_cases.deal_sales import (
    announce_deals,
    change_stock,
    change_stores,
    keep_availability,
    switch_sale,
)
from services.catalog.use_cases.deals import (
    draft_of,
    save_draft,
    submit_deal,
)
from services.catalog.use_cases.deals_reading import (
    ReviewSheet,
    deal_page,
    merchant_deals,
    review_sheet,
)
from services.catalog.use_cases.feed import (
    SUPPORT_CHANGED,
    feed,
    rank_supported,
)
from services.catalog.use_cases.invitations import (
    Invited,
    Shown,
    accept_invitation,
    invite,
    list_invitations,
    revoke_invitation,
    show_invitation,
)
from services.catalog.use_cases.livestreams import (
    list_deals,
    livestream,
    livestreams_on_air,
    register_livestream,
)
from services.catalog.use_cases.merchant_files import (
    MerchantFile,
    merchant_file,
)
from services.catalog.use_cases.merchants import (
    LICENCE_EXPIRED,
    apply_as_merchant,
    change_licence,
    decide_application,
    expire_licences,
)
from services.catalog.use_cases.opening import (
    open_group_buy,
    require_opened,
    settle_fee,
)
from services.catalog.use_cases.operators import (
    seed_first_operator,
)
from services.catalog.use_cases.payout_accounts import (
    decide_payout_account,
    reopen_payout_account,
    submit_payout_account,
)
from services.catalog.use_cases.search import (
    search_deals,
    search_stores,
)
from services.catalog.use_cases.shares import (
    share_deal,
    shared_deal,
)
from services.catalog.use_cases.staff import (
    list_staff,
    my_workplaces,
    put_staff,
)
from services.catalog.use_cases.store_events import (
    DEALS_CHANGED,
)
from services.catalog.use_cases.store_page import (
    StorePage,
    store_page,
)
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
from services.catalog.use_cases.support import (
    end_support,
    support_merchant,
)
from services.catalog.use_cases.suspension import (
    lift_suspension,
    suspend_merchant,
)
from services.catalog.use_cases.videos import (
    attach_deal,
    register_video,
    video,
    videos_of,
)
from services.catalog.use_cases.work_queue import (
    WaitingClaim,
    WorkQueue,
    work_queue,
)

__all__ = [
    "DEALS_CHANGED",
    "LICENCE_EXPIRED",
    "SUPPORT_CHANGED",
    "Invited",
    "MerchantFile",
    "ReviewSheet",
    "Shown",
    "StoreFile",
    "StorePage",
    "WaitingClaim",
    "WorkQueue",
    "accept_invitation",
    "announce_deals",
    "appeal_claim",
    "apply_as_merchant",
    "attach_deal",
    "attribution",
    "change_details",
    "change_licence",
    "change_stock",
    "change_stores",
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
    "end_support",
    "expire_licences",
    "feed",
    "invite",
    "keep_availability",
    "lift_suspension",
    "list_deals",
    "list_invitations",
    "list_staff",
    "livestream",
    "livestreams_on_air",
    "merchant_deals",
    "merchant_file",
    "my_workplaces",
    "open_group_buy",
    "put_staff",
    "rank_supported",
    "register_livestream",
    "register_video",
    "release_store",
    "reopen_payout_account",
    "require_opened",
    "review_deal",
    "review_sheet",
    "revoke_invitation",
    "save_draft",
    "say_deals_again",
    "search_deals",
    "search_stores",
    "seed_first_operator",
    "settle_fee",
    "share_deal",
    "shared_deal",
    "show_invitation",
    "store_page",
    "stores_of_merchant",
    "submit_deal",
    "submit_payout_account",
    "support_merchant",
    "suspend_merchant",
    "switch_sale",
    "video",
    "videos_of",
    "work_queue",
]
