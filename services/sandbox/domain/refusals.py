"""The two ways to say no: in Alipay's words on its gateway, with a stable code everywhere else."""

from dataclasses import dataclass


@dataclass(eq=False)
class AlipayRefusal(Exception):
    """A business or parameter error that the gateway answers; clients branch on `sub_code`."""

    sub_code: str
    sub_msg: str
    code: str = "40004"

    @property
    def msg(self) -> str:
        return {
            "20000": "Service Currently Unavailable",
            "40001": "Missing Required Arguments",
            "40002": "Invalid Arguments",
            "40005": "Call Limited",
        }.get(self.code, "Business Failed")


@dataclass(eq=False)
class SandboxRefusal(Exception):
    """A control or identity request that cannot be done; `status` is the HTTP status."""

    status: int
    code: str
    zh: str
    en: str


def invalid_parameter(detail: str) -> AlipayRefusal:
    return AlipayRefusal("ACQ.INVALID_PARAMETER", f"参数无效：{detail}")


def trade_not_exist() -> AlipayRefusal:
    return AlipayRefusal("ACQ.TRADE_NOT_EXIST", "交易不存在")


def discordant_repeat() -> AlipayRefusal:
    return AlipayRefusal("ACQ.DISCORDANT_REPEAT_REQUEST", "与同一请求号的上一次请求信息不一致")
