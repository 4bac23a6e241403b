"""Reading provider forms and answering refusals."""

from urllib.parse import parse_qsl

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse

from services.sandbox.domain.refusals import AlipayRefusal, SandboxRefusal

_MAX_FIELDS = 100


async def form_params(request: Request) -> dict[str, str]:
    """Parameters of the query and of a urlencoded body; the body wins. SandboxRefusal when they cannot be read."""
    body = (await request.body()).decode("utf-8", errors="replace") if request.method == "POST" else ""
    return {**urlencoded(request.url.query), **urlencoded(body)}


def urlencoded(text: str) -> dict[str, str]:
    try:
        return dict(parse_qsl(text, keep_blank_values=True, max_num_fields=_MAX_FIELDS))
    except ValueError:
        raise SandboxRefusal(422, "form_malformed", "表单无法解析", "The form cannot be read.") from None


async def answer_refusal(_: Request, refusal: Exception) -> JSONResponse:
    """Problem+json for controls; Alipay's own refusals keep their sub_code in `alipay_sub_code`."""
    if isinstance(refusal, SandboxRefusal):
        return _problem(refusal.status, refusal.code, refusal.zh, refusal.en)
    assert isinstance(refusal, AlipayRefusal)
    status = 404 if refusal.sub_code == "ACQ.TRADE_NOT_EXIST" else 409
    code = refusal.sub_code.rpartition(".")[2].lower().replace("-", "_")
    return _problem(status, code, refusal.sub_msg, f"Alipay refuses: {refusal.sub_code}.", refusal.sub_code)


async def answer_malformed(_: Request, malformed: Exception) -> JSONResponse:
    """Says where the body or query is wrong, but never echoes it: not every input can be written as JSON."""
    assert isinstance(malformed, RequestValidationError)
    places = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in malformed.errors()[:10])
    return _problem(422, "request_malformed", f"请求格式不正确：{places}", f"The request is malformed: {places}")


def _problem(status: int, code: str, zh: str, en: str, sub_code: str = "") -> JSONResponse:
    problem: dict[str, str | int] = {
        "type": "about:blank",
        "title": en,
        "title_zh": zh,
        "status": status,
        "code": code,
    }
    if sub_code:
        problem["alipay_sub_code"] = sub_code
    return JSONResponse(problem, status_code=status, media_type="application/problem+json")
