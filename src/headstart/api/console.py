"""The web console: the files that `web/build.py` made, and one page for all of its addresses.

The console is a single-page application, so any GET outside `/v1` that is no file answers with
`index.html`; this router therefore comes last. Files under `assets/` carry a hash in their name
and are cached for good; everything else is asked for again each time.
"""

from __future__ import annotations

from pathlib import Path
from stat import S_ISREG

from fastapi import APIRouter, Request
from fastapi.concurrency import run_in_threadpool
from starlette.responses import HTMLResponse, Response
from starlette.staticfiles import StaticFiles

from headstart.errors import NotFound

FOR_GOOD = "public, max-age=31536000, immutable"
FOLDER = Path(__file__).resolve().parent.parent / "console"

# What a page from here may do. Model output and documents are untrusted text: even if a renderer
# let markup through, no foreign script runs and no image or request carries data away. Mantine
# sets inline styles, which is why `style-src` allows them.
HEADERS = {
    "content-security-policy": "; ".join(
        [
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self' 'unsafe-inline'",
            "img-src 'self' data: blob:",
            "font-src 'self'",
            "connect-src 'self'",
            "manifest-src 'self'",
            "form-action 'self'",
            "base-uri 'none'",
            "frame-ancestors 'none'",
        ]
    ),
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
}

_NOT_BUILT = """<!doctype html>
<html lang="en"><meta charset="utf-8"><title>Headstart</title>
<style>body{font:16px/1.6 system-ui;max-width:36rem;margin:18vh auto;padding:0 1.5rem;
color-scheme:light dark}code{font-size:.95em}</style>
<h1>The console is not built</h1>
<p>The API at <code>/v1</code> works. To build the web console, run <code>make console</code> in the
checkout (or <code>python web/build.py</code>) and load this page again. It needs no restart.</p>
</html>"""

router = APIRouter()


@router.api_route(
    "/v1/{path:path}", methods=["GET", "POST", "PUT", "PATCH", "DELETE"], include_in_schema=False
)
async def unknown_url(path: str, request: Request) -> Response:
    raise NotFound(
        f"no route {request.method} /v1/{path}; /openapi.json lists all", code="unknown_url"
    )


@router.api_route("/{path:path}", methods=["GET", "HEAD"], include_in_schema=False)
async def console(path: str, request: Request) -> Response:
    response = await _page(path, request)
    response.headers.update(HEADERS)
    return response


async def _page(path: str, request: Request) -> Response:
    if not await run_in_threadpool((FOLDER / "index.html").is_file):
        return HTMLResponse(_NOT_BUILT, 503, {"cache-control": "no-store"})
    files = StaticFiles(directory=FOLDER)
    _, stat = await run_in_threadpool(files.lookup_path, path)
    is_file = stat is not None and S_ISREG(stat.st_mode)
    if not is_file and path.startswith("assets/"):
        raise NotFound(f"/{path} is not a file of this console; reload the page")
    response = await files.get_response(path if is_file else "index.html", request.scope)
    lasting = is_file and path.startswith("assets/")
    response.headers["cache-control"] = FOR_GOOD if lasting else "no-cache"
    return response
