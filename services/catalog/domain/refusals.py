"""Every refusal of catalog, with its stable code and its text in both languages."""

from shared.errors import Conflict, DomainError, Invalid, NotFound


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
    zh = "该团购不属于此视频或直播的商家"
    en = "The deal belongs to another merchant than what shows it"


class VideoTaken(Conflict):
    code = "video_taken"
    zh = "该视频已被登记"
    en = "This video is already registered"


class LivestreamTaken(Conflict):
    code = "livestream_taken"
    zh = "该直播已被登记"
    en = "This livestream is already registered"


class LivestreamEnded(Conflict):
    code = "livestream_ended"
    zh = "直播已结束"
    en = "The livestream has ended"


class DealListedTwice(Invalid):
    code = "deal_listed_twice"
    zh = "同一团购不能重复添加"
    en = "The same deal cannot be listed twice"


class AttributionUnknown(NotFound):
    code = "attribution_unknown"
    zh = "来源标识无效"
    en = "This is no attribution token of ours"


class TooManyShares(DomainError):
    status = 429
    code = "too_many_shares"
    zh = "今日分享次数已达上限（{most} 次）"
    en = "You have shared as often as a day allows ({most} links)"
