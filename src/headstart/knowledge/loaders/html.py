"""Web pages: the main content as Markdown, without navigation, scripts and link targets."""

from __future__ import annotations

import re
import warnings
from pathlib import Path
from typing import Any, ClassVar

from bs4 import BeautifulSoup, Tag, XMLParsedAsHTMLWarning
from markdownify import ATX, MarkdownConverter

from headstart.knowledge.loaders.base import Loader
from headstart.knowledge.loaders.encodings import check_text
from headstart.knowledge.passages import Document

_NOISE = (
    "script", "style", "noscript", "template", "svg", "iframe", "object", "form", "button",
    "nav", "aside", "dialog", "link", "meta",
)  # fmt: skip
_MAIN_SHARE = 0.4  # of the page's text: less, and <main> or <article> is only a part of it


class Html(Loader):
    suffixes: ClassVar = (".html", ".htm", ".xhtml")

    def load(self, path: Path, filename: str) -> Document:
        data = path.read_bytes()
        check_text(data, filename)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", XMLParsedAsHTMLWarning)  # XHTML is read as HTML too
            soup = BeautifulSoup(data, "lxml")  # knows which end tags may be left out
        title = " ".join(soup.title.get_text().split()) if soup.title else ""
        return Document(html_to_markdown(soup), title or None)


def html_to_markdown(soup: BeautifulSoup) -> str:
    """The readable part of a page. Changes the soup."""
    for element in soup(list(_NOISE)):
        element.decompose()
    body = _main(soup.body or soup)
    for image in body("img"):
        image.replace_with(str(image.get("alt") or ""))
    for link in body("a"):
        if not str(link.get("href", "")).startswith(("http://", "https://")):
            link.unwrap()  # a target within the site means nothing outside of it
        else:
            link.attrs = {"href": link["href"]}
    try:
        return markdown(body)
    except RecursionError:  # thousands of nested elements: give up the structure, keep the text
        return body.get_text("\n", strip=True)


def markdown(element: Tag) -> str:
    converter: Any = MarkdownConverter(
        heading_style=ATX,
        bullets="-",
        table_infer_header=True,
        escape_asterisks=False,
        escape_underscores=False,
    )
    text: str = converter.convert_soup(element)
    return re.sub(r"\n{3,}", "\n\n", re.sub(r"[ \t]+\n", "\n", text)).strip()


def _main(body: Tag) -> Tag:
    """`<main>`, or the only `<article>`, if that is where the text is."""
    total = len(body.get_text(strip=True))
    mains = body.select("main, [role=main]") or body("article")
    if mains and len(mains[0].get_text(strip=True)) >= _MAIN_SHARE * total:
        return mains[0]
    return body
