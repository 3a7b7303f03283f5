"""`gateway.yaml`: what a gateway without Kubernetes serves and routes to, read and checked."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Final
from urllib.parse import urlsplit

import msgspec
from msgspec import Meta, Struct, field

from fleet.api.addresses import exposed
from gateway.settings import Seconds
from gateway.snapshot import Affinity, Endpoint, Queue, Rule, Service, Shadow, Snapshot, Tls

Name = Annotated[str, Meta(min_length=1, max_length=253, pattern=r"^[^\s,]+$")]
Share = Annotated[int, Meta(ge=0, le=1000)]
Price = Annotated[float, Meta(ge=0)]
PROMPT_SHARE: Final = 0.75
"""Of a request's tokens, where prices are compared: prompts are about three times as long."""


class ConfigError(ValueError):
    """A file that cannot be used; the message names the field, and what would do."""


class _Part(Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    pass


class TlsConfig(_Part, frozen=True):
    server_name: str = ""
    """The name in the endpoint's certificate, where that is not the URL's host."""
    authority: str = ""
    """File below `credentials` with the certificates (PEM) that it is trusted by."""
    certificate: str = ""
    """Folder below `credentials` with `tls.crt` and `tls.key`, which it is shown."""


class PriceConfig(_Part, frozen=True):
    input_per_million: Price
    """US dollars for a million tokens of prompts."""
    output_per_million: Price


class EndpointConfig(_Part, frozen=True):
    name: Name
    url: str
    """Base of the OpenAI API there: what comes after `/v1` in a request is put behind it."""
    model: str = ""
    """The model's name there, where it is another."""
    region: str = ""
    """What answers from there say in `x-modelfleet-region`."""
    weight: Share = 1
    priority: Annotated[int, Meta(ge=0, le=9)] = 0
    max_in_flight: Annotated[int, Meta(ge=0)] = 0
    """Requests that it gets at a time; 0 is no limit."""
    credential: str = ""
    """File below `credentials` with the key that it asks for."""
    tls: TlsConfig | None = None
    price: PriceConfig | None = None
    probe: str | None = None
    """URL that answers a GET below 500 while it lives: `<url>/models` unless told; empty: none."""
    metrics: str = ""
    """URL of an engine's metrics (vLLM's, SGLang's), which tell its queue and its cache."""
    adapters: tuple[Name, ...] = ()


class HeaderConfig(_Part, frozen=True):
    name: Name
    value: str = ""


class RuleConfig(_Part, frozen=True):
    headers: Annotated[tuple[HeaderConfig, ...], Meta(min_length=1)]
    endpoints: Annotated[tuple[Name, ...], Meta(min_length=1)]


class ShadowConfig(_Part, frozen=True):
    endpoints: Annotated[tuple[Name, ...], Meta(min_length=1)]
    percent: Annotated[float, Meta(gt=0, le=100)] = 100.0


class AffinityConfig(_Part, frozen=True):
    header: str = ""
    prefix_bytes: Annotated[int, Meta(ge=0, le=65_536)] = 0


class QueueConfig(_Part, frozen=True):
    length: Annotated[int, Meta(ge=0)] = 1000
    seconds: Seconds = 30.0


class HedgeConfig(_Part, frozen=True):
    after_milliseconds: Annotated[int, Meta(ge=0)] = 0


class ModelConfig(_Part, frozen=True):
    name: Name
    endpoints: tuple[EndpointConfig, ...]
    aliases: tuple[Name, ...] = ()
    queue: QueueConfig = QueueConfig()
    rules: tuple[RuleConfig, ...] = ()
    shadow: ShadowConfig | None = None
    affinity: AffinityConfig | None = None
    hedge: HedgeConfig | None = None
    cheapest_first: bool = False
    continuation: bool = False
    """A stream that is cut goes on at another endpoint; all must return token ids, as vLLM does."""

    @property
    def names(self) -> tuple[str, ...]:
        return self.name, *self.aliases, *self.adapters

    @property
    def adapters(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(name for each in self.endpoints for name in each.adapters))


class Config(_Part, frozen=True):
    """The whole file."""

    models: tuple[ModelConfig, ...]
    settings: dict[str, Any] = field(default_factory=dict)
    """As the environment has them, without `GATEWAY_`: `listen`, `workers`, `client_keys_file`
    and so on. Read when the gateway starts; files lie beside this one."""


FILES: Final = frozenset(
    {
        "client_keys_file",
        "credentials_dir",
        "tls_cert_file",
        "tls_key_file",
        "upstream_ca_file",
        "state_file",
    }
)
"""Settings that are paths."""
Where = tuple[str, str]


def read(path: Path) -> Config:
    """Read a file; ConfigError names the field that is wrong."""
    try:
        config = msgspec.yaml.decode(path.read_bytes(), type=Config)
    except OSError as error:
        raise ConfigError(error.strerror or "it cannot be read") from error
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise ConfigError(_in_words(str(error))) from error
    for name, wrong in _mistakes(config):
        raise ConfigError(f"{name}: {wrong}")
    return config


def environment(config: Config, folder: Path) -> Mapping[str, str]:
    """Give the file's settings as variables; its paths are taken from `folder`."""
    given = {name.lower(): value for name, value in config.settings.items()}
    return {f"GATEWAY_{name}".upper(): _text(name, given[name], folder) for name in given}


def snapshot(config: Config) -> Snapshot:
    return Snapshot(tuple(_service(model) for model in config.models))


def _service(model: ModelConfig) -> Service:
    alike = model.affinity
    return Service(
        name=model.name,
        models=model.names,
        endpoints=tuple(_endpoint(model, each) for each in model.endpoints),
        listed=len(model.names),
        queue=Queue(model.queue.length, model.queue.seconds),
        rules=tuple(_rule(model, rule) for rule in model.rules),
        shadow=_shadow(model),
        affinity=Affinity(alike.header.lower(), alike.prefix_bytes) if alike else None,
        hedge=model.hedge.after_milliseconds / 1000 if model.hedge else None,
        continues=model.continuation,
        adapters=tuple((name, name) for name in model.adapters),
    )


def _endpoint(model: ModelConfig, told: EndpointConfig) -> Endpoint:
    url, tls, price = told.url.rstrip("/"), told.tls, _price(told)
    inward, outward = price if model.cheapest_first else (0.0, 0.0)
    return Endpoint(
        name=f"{model.name}/{told.name}",
        url=url,
        model=told.model or model.name,
        region=told.region,
        probe=f"{url}/models" if told.probe is None else told.probe,
        metrics=told.metrics,
        places=told.max_in_flight,
        priority=told.priority,
        weight=told.weight,
        credential=told.credential,
        tls=Tls(tls.server_name, tls.authority, tls.certificate) if tls else None,
        price=price,
        cost=(PROMPT_SHARE * inward + (1 - PROMPT_SHARE) * outward, 0.0),
        adapters=told.adapters,
    )


def _price(told: EndpointConfig) -> tuple[float, float]:
    price = told.price
    return (price.input_per_million, price.output_per_million) if price else (0.0, 0.0)


def _rule(model: ModelConfig, rule: RuleConfig) -> Rule:
    headers = tuple((header.name.lower(), header.value) for header in rule.headers)
    return Rule(headers, _full(model, rule.endpoints))


def _shadow(model: ModelConfig) -> Shadow | None:
    told = model.shadow
    return Shadow(told.percent, _full(model, told.endpoints)) if told else None


def _full(model: ModelConfig, names: Sequence[str]) -> tuple[str, ...]:
    return tuple(f"{model.name}/{name}" for name in names)


def _mistakes(config: Config) -> Iterator[Where]:
    """Find what types cannot say."""
    seen: dict[str, str] = {}
    for index, model in enumerate(config.models):
        where = f"models[{index}]"
        for name in model.names:
            if name in seen:
                yield where, f"`{name}` is the name of {seen[name]} too; give each its own"
            seen[name] = where
        yield from _of_model(where, model)


def _of_model(where: str, model: ModelConfig) -> Iterator[Where]:
    names = [each.name for each in model.endpoints]
    for index, endpoint in enumerate(model.endpoints):
        here = f"{where}.endpoints[{index}]"
        if names.index(endpoint.name) != index:
            yield f"{here}.name", f"`{endpoint.name}` is there twice; give each its own"
        yield from _of_endpoint(here, endpoint)
    rules = [(f"rules[{index}]", rule.endpoints) for index, rule in enumerate(model.rules)]
    shadow = [("shadow", model.shadow.endpoints)] if model.shadow else []
    for part, wanted in (*rules, *shadow):
        for name in wanted:
            if name not in names:
                yield f"{where}.{part}.endpoints", f"no endpoint of this model is called `{name}`"
    if model.affinity and not (model.affinity.header or model.affinity.prefix_bytes):
        yield f"{where}.affinity", "name a header, or say how many prefixBytes are compared"


def _of_endpoint(where: str, endpoint: EndpointConfig) -> Iterator[Where]:
    if not _callable(endpoint.url):
        yield f"{where}.url", f"`{endpoint.url}` is no URL such as https://api.example/v1"
    elif endpoint.credential and exposed(endpoint.url):
        yield f"{where}.url", "must begin with https:// where there is a credential"
    for name in (endpoint.credential, *_files(endpoint.tls)):
        if Path(name).is_absolute() or ".." in Path(name).parts:
            yield where, f"`{name}` must lie below settings.credentials_dir"


def _files(tls: TlsConfig | None) -> tuple[str, ...]:
    return (tls.authority, tls.certificate) if tls else ()


def _callable(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def _text(name: str, value: Any, folder: Path) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return str(folder / str(value)) if name in FILES else str(value)


def _in_words(message: str) -> str:
    """Put the field first, as everywhere: msgspec has it last."""
    what, _, where = message.partition(" - at `$.")
    return f"{where.rstrip('`')}: {what}" if where else what
