"""Everything that goes wrong, as a page that says what happened and what to do, in the visitor's language."""

from http import HTTPStatus
from urllib.parse import quote, urlsplit

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import RedirectResponse
from starlette.exceptions import HTTPException

from services.web.gateways.service import Refused, Silent
from services.web.problems import Problem, silence, told
from services.web.rendering import is_fragment, page
from services.web.routes.employers import NoEmployer
from services.web.texts import Speech
from services.web.visits import SignInNeeded, end_session, visit_of
from shared.errors import DomainError
from shared.observability import correlation_id, log


def add(app: FastAPI) -> None:
    """Show every error of this app as a page, or as a piece of one where htmx asked. Visits does so for bugs."""
    app.add_exception_handler(SignInNeeded, _sign_in_needed)
    app.add_exception_handler(Refused, _refused)
    app.add_exception_handler(Silent, _silent)
    app.add_exception_handler(DomainError, _our_own)
    app.add_exception_handler(RequestValidationError, _malformed)
    app.add_exception_handler(HTTPException, _by_status)


async def _sign_in_needed(request: Request, _: Exception) -> Response:
    return _to_sign_in(request)


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, Refused)
    if error.status == HTTPStatus.UNAUTHORIZED:
        # The services no longer take the token, whatever its date says.
        end_session(visit_of(request))
        return _to_sign_in(request)
    if error.status == HTTPStatus.NOT_FOUND:
        return _not_found(request)
    # Whoever may not see a page may not a second later either.
    retry = error.status != HTTPStatus.FORBIDDEN or request.method != "GET"
    return _shown(request, error.status, told(error, visit_of(request).language), retry=retry)


async def _silent(request: Request, error: Exception) -> Response:
    assert isinstance(error, Silent)
    problem = silence(error, visit_of(request).language)
    return _shown(request, 503, problem, mood="wait")


async def _our_own(request: Request, error: Exception) -> Response:
    assert isinstance(error, DomainError)
    language = visit_of(request).language
    hint = Speech(language).known(f"hint.{error.code}") or ""
    return _shown(request, error.status, Problem(error.text(language), hint), retry=not isinstance(error, NoEmployer))


async def _malformed(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    if any(one["loc"][0] == "path" for one in error.errors()):
        return _not_found(request)
    t = Speech(visit_of(request).language)
    return _shown(request, 422, Problem(t("error.malformed")))


async def _by_status(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    if error.status_code in {HTTPStatus.NOT_FOUND, HTTPStatus.METHOD_NOT_ALLOWED}:
        return _not_found(request)
    t = Speech(visit_of(request).language)
    return _shown(request, error.status_code, Problem(t("error.malformed")))


def bug(request: Request, error: Exception) -> Response:
    """What nobody foresaw, as a page; the log says which request it was."""
    log.error("page_failed", path=request.url.path, exc_info=error)
    t = Speech(visit_of(request).language)
    return _shown(request, 500, Problem(t("error.bug"), t("error.bug_hint")))


def _not_found(request: Request) -> Response:
    t = Speech(visit_of(request).language)
    problem = Problem(t("error.not_found"), t("error.not_found_hint"))
    return _shown(request, 404, problem, retry=False)


def _to_sign_in(request: Request) -> Response:
    """A page leads to the sign-in and back; a form does not, because its content would be lost on the way."""
    if is_fragment(request):
        return Response(status_code=204, headers={"hx-redirect": _sign_in_address(_came_from(request))})
    if request.method in {"GET", "HEAD"}:
        return RedirectResponse(_sign_in_address(_own_address(request)), status_code=303)
    t = Speech(visit_of(request).language)
    problem = Problem(t("error.sign_in"), t("error.sign_in_hint"))
    return _shown(request, 401, problem, sign_in=_sign_in_address(_came_from(request)))


def _own_address(request: Request) -> str:
    return request.url.path + (f"?{request.url.query}" if request.url.query else "")


def _sign_in_address(target: str) -> str:
    return f"/login?next={quote(target, safe='')}"


def _came_from(request: Request) -> str:
    """The page on which the form or the piece stands."""
    page_url = urlsplit(request.headers.get("hx-current-url") or request.headers.get("referer", ""))
    if page_url.netloc != request.headers.get("host", "") or not page_url.path.startswith("/"):
        return "/"
    return page_url.path + (f"?{page_url.query}" if page_url.query else "")


def _shown(
    request: Request,
    status: int,
    problem: Problem,
    *,
    mood: str = "warn",
    retry: bool = True,
    sign_in: str | None = None,
) -> Response:
    reading = request.method in {"GET", "HEAD"}
    again = _own_address(request) if reading else _came_from(request)
    facts = {
        "title": problem.title,
        "hint": problem.hint,
        "mood": mood,
        "retry": again if retry else None,
        "retry_word": "again" if reading else "go_back",
        "sign_in": sign_in,
        "trace": correlation_id()[:12],
    }
    if is_fragment(request):
        # htmx shows only answers that went well; this one explains what did not.
        return page(request, "fragments/notice.html", facts)
    return page(request, "error.html", facts, status=status)
