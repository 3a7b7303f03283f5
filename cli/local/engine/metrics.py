"""Counts and times under vLLM's names, in Prometheus' text form."""

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping

_SECONDS = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
_TOKENS = (1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1e3, 2e3, 5e3, 1e4, 2e4, 5e4)
_HISTOGRAMS = {
    "vllm:time_to_first_token_seconds": ("Time to first token.", _SECONDS),
    "vllm:inter_token_latency_seconds": ("Time between two tokens.", _SECONDS),
    "vllm:request_time_per_output_token_seconds": ("Mean time a token.", _SECONDS),
    "vllm:e2e_request_latency_seconds": ("Time of a whole request.", _SECONDS),
    "vllm:request_queue_time_seconds": ("Time spent waiting.", _SECONDS),
    "vllm:request_prefill_time_seconds": ("Time from start to first token.", _SECONDS),
    "vllm:request_decode_time_seconds": ("Time from first to last token.", _SECONDS),
    "vllm:request_inference_time_seconds": ("Time spent running.", _SECONDS),
    "vllm:request_prompt_tokens": ("Prompt tokens of a request.", _TOKENS),
    "vllm:request_generation_tokens": ("Generated tokens of a request.", _TOKENS),
}
FINISHES = ("stop", "length", "abort", "error")


class Histogram:
    def __init__(self, bounds: tuple[float, ...]) -> None:
        self._bounds = bounds
        self._counts = [0] * (len(bounds) + 1)
        self._sum = 0.0

    def observe(self, value: float) -> None:
        self._counts[bisect_left(self._bounds, value)] += 1
        self._sum += value

    def samples(self, name: str, labels: str) -> Iterator[str]:
        total = 0
        for bound, count in zip((*self._bounds, "+Inf"), self._counts, strict=True):
            total += count
            yield f'{name}_bucket{{{labels},le="{bound}"}} {total}'
        yield f"{name}_sum{{{labels}}} {self._sum}"
        yield f"{name}_count{{{labels}}} {total}"


class Metrics:
    """Everything that is counted; gauges are given when they are asked for."""

    def __init__(self, model: str) -> None:
        self._labels = f'engine="0",model_name="{model}"'
        self._histograms = {name: Histogram(bounds) for name, (_, bounds) in _HISTOGRAMS.items()}
        self.prompt_tokens = 0
        self.generation_tokens = 0
        self.finished = dict.fromkeys(FINISHES, 0)

    def observe(self, name: str, value: float) -> None:
        self._histograms[f"vllm:{name}"].observe(value)

    def expose(self, gauges: Mapping[str, float]) -> bytes:
        lines = [*self._gauges(gauges), *self._counters()]
        for name, histogram in self._histograms.items():
            lines += (*_head(name, "histogram", _HISTOGRAMS[name][0]),)
            lines += histogram.samples(name, self._labels)
        return ("\n".join(lines) + "\n").encode()

    def _gauges(self, gauges: Mapping[str, float]) -> Iterator[str]:
        for name, value in gauges.items():
            yield from _head(f"vllm:{name}", "gauge", name.replace("_", " "))
            yield f"vllm:{name}{{{self._labels}}} {value}"

    def _counters(self) -> Iterator[str]:
        for name, value in (
            ("vllm:prompt_tokens", self.prompt_tokens),
            ("vllm:generation_tokens", self.generation_tokens),
            ("vllm:num_preemptions", 0),
            ("vllm:prefix_cache_queries", 0),
            ("vllm:prefix_cache_hits", 0),
        ):
            yield from _head(f"{name}_total", "counter", name)
            yield f"{name}_total{{{self._labels}}} {value}"
        yield from _head("vllm:request_success_total", "counter", "Finished requests.")
        for reason, count in self.finished.items():
            labels = f'{self._labels},finished_reason="{reason}"'
            yield f"vllm:request_success_total{{{labels}}} {count}"


def _head(name: str, kind: str, text: str) -> Iterable[str]:
    return f"# HELP {name} {text}", f"# TYPE {name} {kind}"
