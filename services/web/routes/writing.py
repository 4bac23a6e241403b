"""What the pages share on which merchants write: the whole form as it was sent, and who may write."""

from typing import Annotated

from fastapi import Depends, Request

from services.web.forms.parts import Typed
from services.web.forms.shown import MORE
from services.web.gateways.service import Refused, Silent
from services.web.problems import Problem, silence, told
from services.web.routes.employers import AtDesk, Desk
from services.web.visits import Visit
from shared.errors import Forbidden


class NotEditor(Forbidden):
    code = "not_editor"
    zh = "只有老板和店长可以编辑"
    en = "Only owners and managers write here"


def _editor(at: AtDesk) -> Desk:
    if not at.here.edits:
        raise NotEditor
    return at


AtEditorsDesk = Annotated[Desk, Depends(_editor)]
"""The desk of somebody who may change what the merchant shows and sells."""


async def _typed(request: Request) -> Typed:
    typed: Typed = {}
    for name, text in (await request.form()).multi_items():
        if isinstance(text, str):
            typed.setdefault(name, []).append(text)
    return typed


Sent = Annotated[Typed, Depends(_typed)]
"""Every field of the form that was sent, by its name."""


def one(typed: Typed, name: str) -> str:
    """A field of which there is one, out of the rest."""
    return (typed.pop(name, None) or [""])[0]


def wanted_rows(act: str) -> str:
    """Of which rows more are wanted, if that button was pressed."""
    return act.removeprefix(MORE) if act.startswith(MORE) else ""


def what_happened(error: Refused | Silent, visit: Visit) -> tuple[Problem, int]:
    """A refusal or a silence as the page tells it, and the page's status."""
    if isinstance(error, Silent):
        return silence(error, visit.language), 503
    return told(error, visit.language), error.status
