"""Every refusal of catalog, with its stable code and its text in both languages."""

from shared.errors import Conflict, Forbidden, Invalid


class AccountNotEnterprise(Conflict):
    code = "account_not_enterprise"
    zh = "普通账号不能开通团购，请先认证企业号"
    en = "An ordinary account cannot sell deals; get a verified enterprise account first"


class AccountTrial(Conflict):
    code = "account_trial"
    zh = "试用企业号不能开通团购，请先完成企业认证"
    en = "A trial enterprise account cannot sell deals; finish the enterprise verification first"


class LicenceExpiresSoon(Conflict):
    code = "licence_expires_soon"
    zh = "营业执照有效期须超过 {days} 天"
    en = "The business licence must be valid for more than {days} days"


class AlreadyDecided(Conflict):
    code = "already_decided"
    zh = "已有其他处理结果：{state}"
    en = "It was already decided otherwise: {state}"


class ReasonNeeded(Invalid):
    code = "reason_needed"
    zh = "驳回时请填写原因"
    en = "A rejection needs a reason"


class MerchantNotVerified(Conflict):
    code = "merchant_not_verified"
    zh = "商家尚未通过企业认证"
    en = "The merchant is not verified"


class PayoutAccountNotVerified(Conflict):
    code = "payout_account_not_verified"
    zh = "收款支付宝账户尚未通过审核"
    en = "The merchant's payout account is not verified"


class SubjectMismatch(Conflict):
    code = "subject_mismatch"
    zh = "企业支付宝主体与认证主体不一致"
    en = "The enterprise Alipay account belongs to another subject than the verified one"


class PersonalAccountNotAllowed(Conflict):
    code = "personal_account_not_allowed"
    zh = "仅个体工商户可使用法人个人支付宝"
    en = "Only an individual business may be paid to a personal Alipay account"


class LegalPersonMismatch(Conflict):
    code = "legal_person_mismatch"
    zh = "个人支付宝须为营业执照法人本人所有"
    en = "The personal Alipay account must belong to the legal person of the licence"


class RealNameMissing(Conflict):
    code = "real_name_missing"
    zh = "个人支付宝尚未实名认证"
    en = "The personal Alipay account is not real-name verified"


class SubMerchantNeeded(Invalid):
    code = "sub_merchant_needed"
    zh = "直付通结算须填写二级商户号"
    en = "The 直付通 rail needs the sub-merchant id"


class StoreNotOfMerchant(Conflict):
    code = "store_not_of_merchant"
    zh = "所选门店不属于该商家"
    en = "A chosen store does not belong to this merchant"


class StoreNotVerified(Conflict):
    code = "store_not_verified"
    zh = "所选门店尚未通过认领审核或已关闭"
    en = "A chosen store is not verified, or closed"


class RoleNotAssignable(Invalid):
    code = "role_not_assignable"
    zh = "商家不能授予该角色"
    en = "A merchant cannot give this role"


class StaffExists(Conflict):
    code = "staff_exists"
    zh = "该人员已在本商家任职"
    en = "This person already has a place at this merchant"


class LastOwner(Conflict):
    code = "last_owner"
    zh = "至少保留一位在职的负责人"
    en = "At least one active owner must remain"


class DealInReview(Conflict):
    code = "deal_in_review"
    zh = "团购审核中，暂不能修改"
    en = "The deal is in review and cannot be changed now"


class DealNotInReview(Conflict):
    code = "deal_not_in_review"
    zh = "该团购不在审核中"
    en = "The deal is not in review"


class DealNotPublished(Conflict):
    code = "deal_not_published"
    zh = "团购尚未审核通过，不能上架"
    en = "The deal has no approved version yet"


class SaleEnded(Conflict):
    code = "sale_ended"
    zh = "售卖时间已结束"
    en = "The sale has ended"


class PriceAboveOriginal(Invalid):
    code = "price_above_original"
    zh = "团购价不能高于原价"
    en = "The price must not be above the original price"


class SaleWindowEmpty(Invalid):
    code = "sale_window_empty"
    zh = "售卖结束时间须晚于开始时间"
    en = "The sale must end after it starts"


class UseWindowEmpty(Invalid):
    code = "use_window_empty"
    zh = "使用截止时间须晚于开始时间"
    en = "The use window must end after it starts"


class UseEndsBeforeSale(Invalid):
    code = "use_ends_before_sale"
    zh = "使用截止时间不能早于售卖结束时间"
    en = "Use must not end before the sale does"


class DeliveryTermsNeeded(Invalid):
    code = "delivery_terms_needed"
    zh = "实物团购须填写配送方式"
    en = "A deal of goods needs its delivery terms"


class DeliveryTermsNotAllowed(Invalid):
    code = "delivery_terms_not_allowed"
    zh = "到店团购不能填写配送方式"
    en = "A deal used in store has no delivery terms"


class DealNotOfMerchant(Conflict):
    code = "deal_not_of_merchant"
    zh = "该团购不属于此视频的商家"
    en = "The deal belongs to another merchant than the video"


class VideoTaken(Conflict):
    code = "video_taken"
    zh = "该视频已被登记"
    en = "This video is already registered"


class CursorInvalid(Invalid):
    code = "cursor_invalid"
    zh = "翻页参数无效，请从头浏览"
    en = "The cursor is not valid; start from the beginning"


class ClaimExists(Conflict):
    code = "claim_exists"
    zh = "本商家对该门店已有认领（{state}）"
    en = "This merchant already has a claim to the store ({state})"


class TooManyClaimsOnStore(Conflict):
    code = "too_many_claims_on_store"
    zh = "该门店待审核的认领已达 {limit} 个"
    en = "{limit} claims to this store already wait for a decision"


class TooManyOpenClaims(Conflict):
    code = "too_many_open_claims"
    zh = "本商家待审核的认领已达 {limit} 个"
    en = "{limit} claims of this merchant already wait for a decision"


class ClaimNotAppealable(Conflict):
    code = "claim_not_appealable"
    zh = "只有被驳回或失去的认领可以申诉（当前：{state}）"
    en = "Only a rejected or lost claim can be appealed (now: {state})"


class AppealUsed(Conflict):
    code = "appeal_used"
    zh = "该认领已申诉过一次"
    en = "This claim was appealed before"


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
