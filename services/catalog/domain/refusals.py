"""Every refusal of catalog, with its stable code and its text in both languages."""

from shared.errors import Conflict, DomainError, Forbidden, Invalid, NotFound


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


class LicenceExpired(Conflict):
    code = "licence_expired"
    zh = "营业执照已过期，请更换后重新提交审核"
    en = "The business licence has expired: submit a valid one"


class FeeSettled(Conflict):
    code = "fee_settled"
    zh = "该费用已处理：{state}"
    en = "This fee is settled already: {state}"


class GroupBuyNotOpened(Conflict):
    code = "group_buy_not_opened"
    zh = "尚未开通团购，请先完成开通步骤并申请开通"
    en = "Group-buy is not opened yet: finish the steps and apply to open it"


class OpeningNotReady(Conflict):
    code = "opening_not_ready"
    zh = "还不能开通团购，请先完成「{name}」：{reason}"
    en = "Group-buy cannot be opened yet; first comes '{name}': {reason}"

    def text(self, language: str) -> str:
        """Name and reason of the open step are facts in both languages; a sentence takes those of its own."""
        if not self.facts:
            return super().text(language)
        own = {name: self.facts[f"{name}_{language}"] for name in ("name", "reason")}
        return (self.zh if language == "zh" else self.en).format(**own)


class AlreadySuspended(Conflict):
    code = "already_suspended"
    zh = "商家已被停业：{reason}"
    en = "The merchant is suspended already: {reason}"


class SupportWindowEmpty(Invalid):
    code = "support_window_empty"
    zh = "扶持结束时间须晚于开始时间"
    en = "The support must end after it starts"


class TooManyStaff(Conflict):
    code = "too_many_staff"
    zh = "在职人员已达上限 {limit} 人"
    en = "There are {limit} active people already"


class TooManyInvitations(Conflict):
    code = "too_many_invitations"
    zh = "待接受的邀请已达上限 {limit} 个"
    en = "There are {limit} open invitations already"


class InvitationUsed(Conflict):
    code = "invitation_used"
    zh = "该邀请已被接受"
    en = "This invitation was accepted already"


class InvitationRevoked(Conflict):
    code = "invitation_revoked"
    zh = "该邀请已被撤回"
    en = "This invitation was withdrawn"


class InvitationExpired(Conflict):
    code = "invitation_expired"
    zh = "该邀请已过期，请联系负责人重新邀请"
    en = "This invitation has expired: ask an owner for a new one"


class ItemsNeeded(Invalid):
    code = "items_needed"
    zh = "请填写团购包含的内容"
    en = "The deal must say what the buyer gets"


class MomentOutOfRange(Invalid):
    code = "moment_out_of_range"
    zh = "售卖和使用时间须在 2000 至 2099 年之间"
    en = "Sale and use must lie between the years 2000 and 2099"


class HoursEmpty(Invalid):
    code = "hours_empty"
    zh = "时段的开始与结束不能相同，且须在 24:00 之前开始"
    en = "Hours must not end when they begin, and must begin before 24:00"


class BlackoutOutsideUseWindow(Invalid):
    code = "blackout_outside_use_window"
    zh = "不可用日期须在使用期限之内"
    en = "A blackout date lies outside the use window"


class NeverUsable(Invalid):
    code = "never_usable"
    zh = "使用期限内没有可用的日期"
    en = "The use window has no day left that is not blacked out"


class BookingNotNeeded(Invalid):
    code = "booking_not_needed"
    zh = "免预约的团购不能填写提前预约时间"
    en = "A deal without booking has no hours to book ahead"


class CashTermsNeeded(Invalid):
    code = "cash_terms_needed"
    zh = "代金券须填写面值"
    en = "A cash voucher needs its face value"


class CashTermsNotAllowed(Invalid):
    code = "cash_terms_not_allowed"
    zh = "只有代金券可以填写面值"
    en = "Only a cash voucher has a face value"


class StackingNeeded(Invalid):
    code = "stacking_needed"
    zh = "代金券须填写单次可叠加使用的张数"
    en = "A cash voucher must say how many may be used together"


class OriginalPriceNotFaceValue(Invalid):
    code = "original_price_not_face_value"
    zh = "代金券的原价须等于面值"
    en = "The original price of a cash voucher is its face value"


class ThresholdBelowFaceValue(Invalid):
    code = "threshold_below_face_value"
    zh = "代金券的使用门槛不能低于面值；不设门槛请填 0"
    en = "The threshold of a cash voucher must not be below its face value; 0 means none"


class UsesNeeded(Invalid):
    code = "uses_needed"
    zh = "次卡的可用次数须为 2 至 100 次"
    en = "A times-card has 2 to 100 uses"


class UsesNotAllowed(Invalid):
    code = "uses_not_allowed"
    zh = "只有次卡可以使用多次"
    en = "Only a times-card has several uses"


class PriceBelowUses(Invalid):
    code = "price_below_uses"
    zh = "次卡每次不能低于 1 分，共 {uses} 次"
    en = "Each of the {uses} uses must cost at least one fen"


class CodeSourceNeeded(Invalid):
    code = "code_source_needed"
    zh = "三方码团购须选择券码来源"
    en = "A deal with third-party codes must say where they come from"


class CodeSourceNotAllowed(Invalid):
    code = "code_source_not_allowed"
    zh = "只有三方码团购可以选择券码来源"
    en = "Only a deal with third-party codes has a source of codes"


class CategoryNotForGoods(Invalid):
    code = "category_not_for_goods"
    zh = "实物团购的类目须为其他"
    en = "A deal of goods belongs to no in-store category"


class RefundPolicyNotForGoods(Invalid):
    code = "refund_policy_not_for_goods"
    zh = "实物团购没有有效期，须支持随时退"
    en = "Goods never expire, so they must be refundable at any time"


class DeliveryModeTwice(Invalid):
    code = "delivery_mode_twice"
    zh = "配送方式不能重复"
    en = "A way of delivery is named twice"


class HotFoodNotByCourier(Invalid):
    code = "hot_food_not_by_courier"
    zh = "热食不能使用快递"
    en = "Hot food does not travel by courier"


class ModeFeeNotOffered(Invalid):
    code = "mode_fee_not_offered"
    zh = "不能为未提供的配送方式填写运费"
    en = "A fee is given for a way of delivery that is not offered"


class ModeFeeTwice(Invalid):
    code = "mode_fee_twice"
    zh = "同一配送方式只能填写一个运费"
    en = "A way of delivery has two fees"


class TemplateNeeded(Invalid):
    code = "template_needed"
    zh = "请填写该类目的详细信息：{category}"
    en = "The details of this category are needed: {category}"


class TemplateNotAllowed(Invalid):
    code = "template_not_allowed"
    zh = "不能填写其他类目的详细信息"
    en = "The details belong to another category"


class PortionNeeded(Invalid):
    code = "portion_needed"
    zh = "请填写每份的分量：{item}"
    en = "How much is one of these? {item}"


class PartyRangeEmpty(Invalid):
    code = "party_range_empty"
    zh = "最少人数不能大于最多人数"
    en = "The smallest party must not be larger than the largest"


class SurchargeRangeEmpty(Invalid):
    code = "surcharge_range_empty"
    zh = "加价日期的结束不能早于开始"
    en = "A surcharge must not end before it begins"


class SurchargesOverlap(Invalid):
    code = "surcharges_overlap"
    zh = "加价日期不能重叠"
    en = "Two surcharges cover the same night"


class ItineraryTooShort(Invalid):
    code = "itinerary_too_short"
    zh = "行程须至少每天一条，共 {days} 天"
    en = "The itinerary needs a line for each of the {days} days"


class CancellationNeeded(Invalid):
    code = "cancellation_needed"
    zh = "请填写退改规则"
    en = "The terms of cancellation are needed"


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
