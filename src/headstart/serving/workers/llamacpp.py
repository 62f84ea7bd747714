"""llama.cpp's own HTTP server, from `xllamacpp`, as a worker.

It speaks the protocol of workers by itself (ours is modelled on it); this process configures it,
watches the parent and waits. SIGTERM ends it at once: the supervisor drains before it sends one.
"""

from __future__ import annotations

import logging
import os
import signal
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from headstart.hub.gguf_header import read_header
from headstart.serving.workers.kv_cache import capacity, fitting_context
from headstart.serving.workers.process import Arguments, end_with_parent, worker_key

log = logging.getLogger(__name__)

_F16 = 2.0  # bytes per cached value
_PROMPT_CACHE_MIB = 256
_WARNINGS = 2  # llama.cpp's verbosity


class Options(BaseModel):
    """What `options` of an endpoint may set."""

    model_config = ConfigDict(extra="forbid")

    cache_gb: float = Field(0.5, gt=0, description="Memory for the KV cache.")
    parallel: int = Field(
        4, ge=1, le=64, description="Answers generated at once; each has its part of the cache."
    )


def parameters(arguments: Arguments) -> Any:
    import xllamacpp  # only now: OpenMP reads its environment as it is loaded

    options = Options.model_validate(arguments.options)
    header = read_header(arguments.model)
    params = xllamacpp.CommonParams()  # type: ignore[attr-defined]
    params.model.path = str(arguments.model)
    params.model_alias = {arguments.name}
    params.hostnames = ["127.0.0.1"]
    params.port = arguments.port
    # not shared: where answers compete for a cache that is full, llama.cpp fails all of them
    room = capacity(header, options.cache_gb, _F16) // options.parallel
    context = fitting_context(room, arguments.context_length, options.cache_gb)
    params.n_ctx = context * options.parallel
    params.n_parallel = options.parallel
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = arguments.threads
    params.cache_ram_mib = _PROMPT_CACHE_MIB
    params.embedding = arguments.task == "embedding"
    params.endpoint_props = True
    params.endpoint_slots = False
    params.ui = False
    params.cors_origins = "http://127.0.0.1"
    if (key := worker_key()) is not None:
        params.api_keys = [key]
    params.verbosity = _WARNINGS
    return params


def main() -> None:
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    arguments = Arguments.parse()
    end_with_parent()
    # Threads that spin while they wait for one another take ten times as long as these do, as
    # soon as anything else runs on the machine.
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    import xllamacpp

    server = xllamacpp.Server(parameters(arguments))  # type: ignore[attr-defined]
    log.info("serving %s on %s", arguments.name, server.listening_address)
    while True:
        signal.pause()


if __name__ == "__main__":
    main()
