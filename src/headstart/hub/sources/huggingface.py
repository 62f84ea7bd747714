"""Models of the Hugging Face hub, or of a mirror that speaks its API (`hf_endpoint`).

Files are fetched at one commit, with the SHA-256 that the hub states for them. A download that
breaks goes on from the byte it reached, also after a restart: its bytes wait in `.parts/` under
the file's content id, which no other version shares. A gated model needs `hf_token`.
"""

from __future__ import annotations

import fnmatch
import re
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import httpx2
from huggingface_hub import HfApi, hf_hub_url
from huggingface_hub.errors import (
    GatedRepoError,
    HfHubHTTPError,
    HFValidationError,
    OfflineModeIsEnabled,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)
from huggingface_hub.hf_api import ModelInfo, RepoSibling
from huggingface_hub.utils._headers import build_hf_headers
from huggingface_hub.utils._http import get_session, hf_raise_for_status

from headstart.hub.cards import Card, HuggingFaceSource
from headstart.hub.cards import Source as CardSource
from headstart.hub.huggingface_cards import Reference, card_of
from headstart.hub.sources.base import PullProgress, Report, Source, SourceFailed, stop_if
from headstart.settings import Settings

_ASK_SECONDS = 15
_GLOB = re.compile(r"[*?\[]")
_TRIES = 5  # in a row without a byte
_PAUSE_SECONDS = 1.0
_PARTIAL_CONTENT, _RANGE_NOT_SATISFIABLE = 206, 416


class HuggingFace(Source):
    """The files of a `HuggingFaceSource`."""

    def __init__(self, spec: CardSource, settings: Settings) -> None:
        self.spec = HuggingFaceSource.model_validate(spec, from_attributes=True)
        self.repository = _Repository(settings, self.spec.repo, self.spec.revision)

    @property
    def label(self) -> str:
        return f"{self.repository.host} ({self.spec.repo})"

    @classmethod
    def card(cls, name: str, settings: Settings) -> Card:
        reference = Reference.parse(name)
        repository = _Repository(settings, reference.repo, reference.revision)
        return card_of(reference, repository.info())

    def fetch(
        self, destination: Path, report: Report, cancelled: threading.Event
    ) -> dict[str, str]:
        info = self.repository.info()
        files = self._wanted(info)
        total = sum(file.size or 0 for file in files)
        parts = destination / ".parts"
        parts.mkdir(exist_ok=True)
        done = 0
        for file in files:
            target = destination / file.rfilename.removeprefix(self.spec.strip_prefix)
            if not _is_whole(target, file):
                part = parts / (file.blob_id or file.rfilename.replace("/", "--"))
                watch = _Watch(report, done, total, cancelled)
                self.repository.download(file, info.sha or self.spec.revision, part, watch)
                target.parent.mkdir(parents=True, exist_ok=True)
                part.replace(target)
                if not _is_whole(target, file):
                    target.unlink()
                    raise SourceFailed(
                        f"{file.rfilename} came from {self.repository.host} with another length "
                        "than announced"
                    )
            done += file.size or 0
        shutil.rmtree(parts)
        return {
            file.rfilename.removeprefix(self.spec.strip_prefix): file.lfs.sha256
            for file in files
            if file.lfs is not None
        }

    def _wanted(self, info: ModelInfo) -> list[RepoSibling]:
        chosen: dict[str, RepoSibling] = {}
        for pattern in self.spec.files:
            matching = {f.rfilename: f for f in info.siblings or [] if _matches(f, pattern)}
            if not matching and not _GLOB.search(pattern):
                raise SourceFailed(
                    f"{self.spec.repo} on {self.repository.host} has no file {pattern!r}"
                )
            chosen |= matching
        return list(chosen.values())


@dataclass(frozen=True, slots=True)
class _Watch:
    """Called with the bytes of a file that are here: reports them, and stops when cancelled."""

    report: Report
    before: int  # bytes of the files already fetched
    total: int
    cancelled: threading.Event

    def __call__(self, received: int) -> None:
        stop_if(self.cancelled)
        self.report(PullProgress("download", self.before + received, self.total))


class _Repository:
    """A model repository at one revision; its problems come out as `SourceFailed`."""

    def __init__(self, settings: Settings, repo: str, revision: str) -> None:
        self.endpoint = settings.hf_endpoint.rstrip("/")
        self.host = urlsplit(self.endpoint).netloc or self.endpoint
        self.token = settings.hf_token.get_secret_value() if settings.hf_token else None
        self.repo = repo
        self.revision = revision

    def info(self) -> ModelInfo:
        api = HfApi(endpoint=self.endpoint, token=self.token)
        with self.explained():
            return api.model_info(
                self.repo, revision=self.revision, files_metadata=True, timeout=_ASK_SECONDS
            )

    def download(
        self, file: RepoSibling, commit: str, part: Path, received: Callable[[int], None]
    ) -> None:
        """Fetch a file into `part`, from the byte that an earlier try reached."""
        url = hf_hub_url(self.repo, file.rfilename, revision=commit, endpoint=self.endpoint)
        tries = _TRIES
        while True:
            before = part.stat().st_size if part.exists() else 0
            try:
                with self.explained():
                    return self._stream(url, part, before, received)
            except SourceFailed as error:
                broke = isinstance(error.__cause__, httpx2.TransportError)
                tries = _TRIES if part.stat().st_size > before else tries - 1
                if not broke or tries == 0:
                    raise
                time.sleep(_PAUSE_SECONDS)

    def _stream(self, url: str, part: Path, start: int, received: Callable[[int], None]) -> None:
        headers = {**build_hf_headers(token=self.token), "Accept-Encoding": "identity"}
        if start:
            headers["Range"] = f"bytes={start}-"
        with (
            part.open("ab") as output,
            get_session().stream(
                "GET", url, headers=headers, timeout=_ASK_SECONDS, follow_redirects=True
            ) as response,
        ):
            if response.status_code == _RANGE_NOT_SATISFIABLE:
                return  # it was whole already; if not, its digest tells
            hf_raise_for_status(response)
            if start and response.status_code != _PARTIAL_CONTENT:
                output.truncate(0)  # the server sends it from the start
                start = 0
            received(start)
            for block in response.iter_raw():
                output.write(block)
                received(output.tell())

    @contextmanager
    def explained(self) -> Iterator[None]:
        """Turns what the client library raises into one clear sentence."""
        try:
            yield
        except GatedRepoError as error:
            raise SourceFailed(
                f"{self.repo} is gated: accept its licence at {self.endpoint}/{self.repo} and set "
                "HEADSTART_HF_TOKEN to a token of that account"
            ) from error
        except RepositoryNotFoundError as error:
            raise SourceFailed(
                f"{self.host} has no model {self.repo}, or it is private and HEADSTART_HF_TOKEN "
                "does not open it"
            ) from error
        except RevisionNotFoundError as error:
            raise SourceFailed(f"{self.repo} has no revision {self.revision!r}") from error
        except HFValidationError as error:
            raise SourceFailed(f"{self.repo!r} is no repository name") from error
        except OfflineModeIsEnabled as error:
            raise SourceFailed(f"{self.host} is not asked because HF_HUB_OFFLINE is set") from error
        except HfHubHTTPError as error:
            status = error.response.status_code
            raise SourceFailed(f"{self.host} answered {status} for {self.repo}") from error
        except (httpx2.ConnectError, httpx2.ConnectTimeout) as error:
            raise SourceFailed(f"{self.host} cannot be reached") from error
        except httpx2.HTTPError as error:
            raise SourceFailed(
                f"the connection to {self.host} broke ({type(error).__name__}); what came is kept"
            ) from error


def _matches(file: RepoSibling, pattern: str) -> bool:
    """Glob by path component, so that "*.json" is not "folder/x.json"."""
    parts, wanted = file.rfilename.split("/"), pattern.split("/")
    return len(parts) == len(wanted) and all(map(fnmatch.fnmatchcase, parts, wanted))


def _is_whole(target: Path, file: RepoSibling) -> bool:
    return target.is_file() and file.size in (None, target.stat().st_size)
