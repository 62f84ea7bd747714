"""What serving tells Prometheus, labelled by endpoint."""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

from headstart.serving.status import State

IN_FLIGHT = Gauge("headstart_requests_in_flight", "Calls being answered.", ["endpoint"])
REQUESTS = Counter(
    "headstart_requests",
    "Calls by how they ended: completed, cancelled or failed.",
    ["endpoint", "outcome"],
)
TOKENS = Counter("headstart_tokens", "Tokens by kind: prompt or completion.", ["endpoint", "kind"])
FIRST_TOKEN = Histogram(
    "headstart_first_token_seconds",
    "From a call to its first token.",
    ["endpoint"],
    buckets=(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60),
)
RESTARTS = Counter(
    "headstart_worker_restarts", "Workers that failed and were started anew.", ["endpoint"]
)
STATE = Gauge(
    "headstart_endpoint_state", "1 for the state an endpoint is in.", ["endpoint", "state"]
)

_OUTCOMES = ("completed", "cancelled", "failed")


class EndpointMetrics:
    """The series of one endpoint, looked up once: a lookup costs more than an increment."""

    def __init__(self, endpoint: str) -> None:
        self._endpoint = endpoint
        self.in_flight = IN_FLIGHT.labels(endpoint)
        self.outcomes = {outcome: REQUESTS.labels(endpoint, outcome) for outcome in _OUTCOMES}
        self.prompt_tokens = TOKENS.labels(endpoint, "prompt")
        self.completion_tokens = TOKENS.labels(endpoint, "completion")
        self.first_token = FIRST_TOKEN.labels(endpoint)
        self.restarts = RESTARTS.labels(endpoint)
        self._states = {state: STATE.labels(endpoint, state.value) for state in State}

    def show_state(self, current: State) -> None:
        for state, gauge in self._states.items():
            gauge.set(state is current)

    def forget(self) -> None:
        """Drop the series of a deleted endpoint."""
        for outcome in _OUTCOMES:
            REQUESTS.remove(self._endpoint, outcome)
        for kind in ("prompt", "completion"):
            TOKENS.remove(self._endpoint, kind)
        for state in State:
            STATE.remove(self._endpoint, state.value)
        for metric in (IN_FLIGHT, FIRST_TOKEN, RESTARTS):
            metric.remove(self._endpoint)
