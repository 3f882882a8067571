"""What operators count, in the form that Prometheus reads."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from gateway.contract import Approval, State

HOLD_SECONDS = (1, 5, 15, 30, 60, 120, 300, 600, 1_800, 3_600, 14_400)


class Meters:
    """The gateway's counters. One registry, so that two gateways in one process do not share them."""

    def __init__(self, registry: CollectorRegistry | None = None) -> None:
        self.registry = registry or CollectorRegistry()
        # Counted for every command: a plain number costs a tenth of a Counter.
        self.judged = {"allow": 0, "hold": 0, "block": 0}
        self.registry.register(_Judged(self.judged))
        self._sessions = Gauge("countersign_sessions", "Open sessions.", registry=self.registry)
        self._opened = Counter("countersign_sessions_opened", "Sessions opened.", registry=self.registry)
        self._failures = Counter(
            "countersign_recording_failures", "Recordings that could not be written.", registry=self.registry
        )
        self._masked = Counter(
            "countersign_masked_values",
            "Values hidden in answers, by the detector that found them; `column` for those that rules name.",
            ["detector"],
            registry=self.registry,
        )
        settled = Counter(
            "countersign_approvals", "Approvals by how they ended.", ["state"], registry=self.registry
        )
        self._settled = {state: settled.labels(state.value) for state in State}
        self._held_for = Histogram(
            "countersign_hold_seconds",
            "From the opening of an approval to its end.",
            buckets=HOLD_SECONDS,
            registry=self.registry,
        )

    def session_opened(self) -> None:
        self._sessions.inc()
        self._opened.inc()

    def session_closed(self) -> None:
        self._sessions.dec()

    def recording_failed(self) -> None:
        self._failures.inc()

    def masked(self, counts: Mapping[str, int]) -> None:
        for name, count in counts.items():
            self._masked.labels("column" if name.startswith("column ") else name).inc(count)

    def settled(self, approval: Approval) -> None:
        """An approval is over."""
        self._settled[approval.state].inc()
        if approval.settled_at is not None:
            self._held_for.observe(max(0.0, approval.settled_at - approval.opened_at))

    def watch_held(self, held: Callable[[], int]) -> None:
        """Show how many approvals are open, asked for whenever somebody looks."""
        self.registry.register(_Held(held))

    def text(self) -> bytes:
        return bytes(generate_latest(self.registry))


class _Judged(Collector):
    def __init__(self, judged: Mapping[str, int]) -> None:
        self._judged = judged

    def collect(self) -> list[CounterMetricFamily]:
        family = CounterMetricFamily("countersign_commands", "Commands by verdict.", labels=["verdict"])
        for verdict, count in self._judged.items():
            family.add_metric([verdict], count)
        return [family]


class _Held(Collector):
    def __init__(self, held: Callable[[], int]) -> None:
        self._held = held

    def collect(self) -> list[GaugeMetricFamily]:
        return [GaugeMetricFamily("countersign_approvals_open", "Open approvals.", value=self._held())]
