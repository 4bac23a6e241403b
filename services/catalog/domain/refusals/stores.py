"""Stores, the claims to them, and where they are looked for."""

from services.catalog.domain.refusals.words import InWords
from shared.errors import Conflict, Forbidden, Invalid


class StoreNotOfMerchant(Conflict):
    code = "store_not_of_merchant"
    zh = "所选门店不属于该商家"
    en = "A chosen store does not belong to this merchant"


class StoreNotVerified(Conflict):
    code = "store_not_verified"
    zh = "所选门店尚未通过认领审核，或已关闭"
    en = "A chosen store is not verified, or closed"


class ClaimExists(InWords, Conflict):
    code = "claim_exists"
    zh = "本商家已认领过该门店（{state}）"
    en = "This merchant already has a claim to the store ({state})"


class TooManyClaimsOnStore(Conflict):
    code = "too_many_claims_on_store"
    zh = "该门店待审核的认领已达 {limit} 个"
    en = "{limit} claims to this store already wait for a decision"


class TooManyOpenClaims(Conflict):
    code = "too_many_open_claims"
    zh = "本商家待审核的认领已达 {limit} 个"
    en = "{limit} claims of this merchant already wait for a decision"


class ClaimNotAppealable(InWords, Conflict):
    code = "claim_not_appealable"
    zh = "只有被驳回或改判的认领可以申诉（当前：{state}）"
    en = "Only a rejected or lost claim can be appealed (now: {state})"


class AppealUsed(Conflict):
    code = "appeal_used"
    zh = "该认领已申诉过，不能再次申诉"
    en = "This claim was appealed before, and can be only once"


class AlreadyClosed(Conflict):
    code = "already_closed"
    zh = "门店已被关闭：{reason}"
    en = "The store is closed already: {reason}"


class StoreNotHeld(Conflict):
    code = "store_not_held"
    zh = "该门店当前无人认领"
    en = "Nobody holds this store"


class StoreFactsFixed(Forbidden):
    code = "store_facts_fixed"
    zh = "门店名称、地址和位置只能由平台修改"
    en = "Only the platform changes a store's name, address and position"


class PositionIncomplete(Invalid):
    code = "position_incomplete"
    zh = "经度和纬度须同时填写"
    en = "Latitude and longitude belong together"
