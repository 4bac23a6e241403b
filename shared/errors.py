"""Refusals with a stable code and a text in both languages; everything else is a bug or an outage."""

from typing import Any, ClassVar


class DomainError(Exception):
    """The request is refused and repeating it will not help. Extra facts (`available=3`) go to the client by name."""

    status: ClassVar[int] = 400
    code: ClassVar[str] = "refused"
    zh: ClassVar[str] = "请求被拒绝"
    en: ClassVar[str] = "The request was refused"

    def __init__(self, **facts: Any) -> None:
        super().__init__(self.code)
        self.facts = facts

    def text(self, language: str) -> str:
        """The sentence for a person, in `zh` or `en`, with the facts filled in."""
        template = self.zh if language == "zh" else self.en
        return template.format(**self.facts) if self.facts else template


class NotFound(DomainError):
    """What was asked for does not exist, or not for this caller."""

    status = 404
    code = "not_found"
    zh = "未找到"
    en = "Not found"


class Conflict(DomainError):
    """The state of things does not allow it now."""

    status = 409
    code = "conflict"
    zh = "当前状态不允许此操作"
    en = "The current state does not allow this"


class Forbidden(DomainError):
    """This caller may not do it."""

    status = 403
    code = "forbidden"
    zh = "没有权限"
    en = "You may not do this"


class Unauthenticated(DomainError):
    """No token, or one that does not hold."""

    status = 401
    code = "unauthenticated"
    zh = "请先登录"
    en = "Please sign in"


class Invalid(DomainError):
    """The input is well-formed and still cannot be right."""

    status = 422
    code = "invalid"
    zh = "内容有误"
    en = "The input is not valid"


class PreconditionFailed(DomainError):
    """What the caller saw is no longer what is there; `current` is the version to look at, where it is known."""

    status = 412
    code = "changed_meanwhile"
    zh = "内容已更新，请确认后重试"
    en = "It has changed meanwhile; please look again"


class Unavailable(DomainError):
    """An outside party gave no answer in time; the same request may be repeated."""

    status = 503
    code = "temporarily_unavailable"
    zh = "系统繁忙，请稍后重试"
    en = "Temporarily unavailable; please try again"


class IdTaken(Conflict):
    """The client's id was used before for something else."""

    code = "id_taken"
    zh = "该编号已用于其他内容"
    en = "This id was already used with other content"


class NotYet(Exception):
    """A message whose predecessor has not arrived: parked and tried again for up to a day."""
