"""Where deals are shown: videos, livestreams, shared links, attribution."""

from shared.errors import Conflict, DomainError, Invalid, NotFound


class DealNotOfMerchant(Conflict):
    code = "deal_not_of_merchant"
    zh = "该团购与此视频或直播不属于同一商家"
    en = "The deal belongs to another merchant than what shows it"


class DealListedTwice(Invalid):
    code = "deal_listed_twice"
    zh = "同一团购不能重复添加"
    en = "The same deal cannot be listed twice"


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


class AttributionUnknown(NotFound):
    code = "attribution_unknown"
    zh = "来源标识无效"
    en = "This is no attribution token of ours"


class TooManyShares(DomainError):
    status = 429
    code = "too_many_shares"
    zh = "今日分享次数已达上限（{most} 次）"
    en = "You have shared as often as a day allows ({most} links)"
