"""Greetings and thanks: answered at once and kindly, without a search or the model.

Only a message that is nothing but small talk counts; anything that may be a question does not.
"""

from __future__ import annotations

import re

_GREETING = re.compile(
    r"(?:hi|hello|hey|howdy|greetings|good (?:morning|afternoon|evening|day)|hallo|guten tag|"
    r"guten morgen|hola|buenos d[ií]as|bonjour|salut|ciao|你好|こんにちは)"
    r"(?: (?:there|all|everyone|you|headstart))?(?:,? how are you(?: doing)?(?: today)?)?",
    re.IGNORECASE,
)
_THANKS = re.compile(
    r"(?:ok(?:ay)?,? |great,? |perfect,? )?(?:many )?(?:thanks|thank you|thx|cheers|danke|gracias|"
    r"merci|grazie|谢谢)(?: (?:so much|a lot|very much|you|schön))?(?:,? (?:bye|goodbye|that helps|"
    r"that helped))?",
    re.IGNORECASE,
)
_GOODBYE = re.compile(
    r"(?:bye|goodbye|bye bye|see you(?: later| soon)?|tschüss|adiós|au revoir)", re.I
)
_WHO = re.compile(
    r"(?:who|what) are you|what can you do(?: for me)?|what do you know|how can you help(?: me)?|"
    r"what is this|help",
    re.IGNORECASE,
)
_PUNCTUATION = " \t\n.!?,:;)(👋🙏🙂😊❤️"


def reply(message: str, *, app: str, description: str, knowledge: list[str]) -> str | None:
    """The answer to a message that is only small talk; None for everything else."""
    said = message.strip(_PUNCTUATION)
    says = description.strip() or f"I answer questions from {_listed(knowledge)}, with citations."
    about = f"This is **{app}**. {says}"
    if _GREETING.fullmatch(said):
        return f"Hello! {about} What would you like to know?"
    if _WHO.fullmatch(said):
        return f"{about} Ask me a question."
    if _THANKS.fullmatch(said):
        return "You're welcome! Ask me whenever there is something else."
    if _GOODBYE.fullmatch(said):
        return "Goodbye!"
    return None


def _listed(names: list[str]) -> str:
    quoted = [f"**{name}**" for name in names]
    return " and ".join(filter(None, [", ".join(quoted[:-1]), quoted[-1]]))
