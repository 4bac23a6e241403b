"""Refusals and silences as people read them: the service's own title, and what can be done."""

from dataclasses import dataclass

from services.web.formats import Language
from services.web.gateways.service import Refused, Silent
from services.web.texts import Speech


@dataclass(frozen=True, slots=True)
class Problem:
    """A sentence, and a hint below it."""

    title: str
    hint: str = ""


def told(refused: Refused, language: Language) -> Problem:
    """A refusal in the visitor's language. Every code has both languages at its service, so its title stands."""
    t = Speech(language)
    if refused.code == "malformed_input":
        return Problem(t("error.malformed"))
    return Problem(refused.title or t("error.malformed"), t.known(f"hint.{refused.code}") or "")


def silence(silent: Silent, language: Language) -> Problem:
    """A service that gave no answer."""
    t = Speech(language)
    name = t.known(f"service.{silent.service}") or silent.service
    return Problem(t("error.silent", service=name), t("error.silent_hint"))
