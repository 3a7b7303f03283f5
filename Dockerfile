# The images of the programs, one target each: docker build --target hub|member-agent|gateway .
# A base is pinned by its full version; PYTHON_DIGEST=sha256:… pins it to the bit.
ARG PYTHON_IMAGE=docker.io/library/python:3.13.7-slim-bookworm
ARG PYTHON_DIGEST=""

FROM ${PYTHON_IMAGE}${PYTHON_DIGEST:+@${PYTHON_DIGEST}} AS base
ENV PATH=/venv/bin:/usr/local/bin:/usr/bin:/bin \
    PYTHONPATH=/app \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    HOME=/tmp

# What a program depends on comes from uv.lock, with its hashes. The bytecode is checked by neither
# time nor hash, and no file is younger than SOURCE_DATE_EPOCH: the same sources give the same files.
FROM base AS build
ARG UV_VERSION=0.13.9
ARG SOURCE_DATE_EPOCH=0
ENV UV_PROJECT_ENVIRONMENT=/venv \
    UV_PYTHON=/usr/local/bin/python3 \
    UV_PYTHON_DOWNLOADS=never \
    UV_LINK_MODE=copy \
    UV_NO_CACHE=1
RUN pip install --no-cache-dir --no-compile "uv==${UV_VERSION}"
WORKDIR /build
COPY pyproject.toml uv.lock ./
# What a wheel would say of itself: a program tells its version.
RUN python3 -c "import pathlib, tomllib; \
    version = tomllib.loads(pathlib.Path('pyproject.toml').read_text())['project']['version']; \
    told = pathlib.Path(f'/app/modelfleet-{version}.dist-info'); told.mkdir(parents=True); \
    (told / 'METADATA').write_text(f'Metadata-Version: 2.1\nName: modelfleet\nVersion: {version}\n')"

FROM build AS build-hub
RUN uv sync --locked --only-group hub
COPY presets/ /app/presets/
COPY fleet/ /app/fleet/
COPY hub/ /app/hub/
RUN python3 -m compileall -q --invalidation-mode unchecked-hash /venv/lib /app \
    && find /venv /app -exec touch --no-dereference --date "@${SOURCE_DATE_EPOCH}" {} +

FROM build AS build-member-agent
RUN uv sync --locked --only-group member-agent
COPY presets/ /app/presets/
COPY fleet/ /app/fleet/
COPY member_agent/ /app/member_agent/
RUN python3 -m compileall -q --invalidation-mode unchecked-hash /venv/lib /app \
    && find /venv /app -exec touch --no-dereference --date "@${SOURCE_DATE_EPOCH}" {} +

FROM build AS build-gateway
RUN uv sync --locked --only-group gateway
COPY fleet/ /app/fleet/
COPY gateway/ /app/gateway/
RUN python3 -m compileall -q --invalidation-mode unchecked-hash /venv/lib /app \
    && find /venv /app -exec touch --no-dereference --date "@${SOURCE_DATE_EPOCH}" {} +

FROM base AS hub
LABEL org.opencontainers.image.title="modelfleet hub" org.opencontainers.image.licenses="Apache-2.0"
COPY --from=build-hub /venv /venv
COPY --from=build-hub /app /app
WORKDIR /app
USER 65532:65532
ENV HUB_HEALTH_LISTEN=0.0.0.0:8081
EXPOSE 8081
HEALTHCHECK CMD ["/venv/bin/python3", "-m", "fleet.runtime.probe", "http://127.0.0.1:8081/healthz"]
ENTRYPOINT ["/venv/bin/python3", "-m", "hub"]

FROM base AS member-agent
LABEL org.opencontainers.image.title="modelfleet member agent" org.opencontainers.image.licenses="Apache-2.0"
COPY --from=build-member-agent /venv /venv
COPY --from=build-member-agent /app /app
WORKDIR /app
USER 65532:65532
ENV MEMBER_AGENT_HEALTH_LISTEN=0.0.0.0:8081
EXPOSE 8081
HEALTHCHECK CMD ["/venv/bin/python3", "-m", "fleet.runtime.probe", "http://127.0.0.1:8081/healthz"]
ENTRYPOINT ["/venv/bin/python3", "-m", "member_agent"]

FROM base AS gateway
LABEL org.opencontainers.image.title="modelfleet gateway" org.opencontainers.image.licenses="Apache-2.0"
COPY --from=build-gateway /venv /venv
COPY --from=build-gateway /app /app
WORKDIR /app
USER 65532:65532
ENV GATEWAY_LISTEN=0.0.0.0:8080
EXPOSE 8080
HEALTHCHECK CMD ["/venv/bin/python3", "-m", "fleet.runtime.probe", "http://127.0.0.1:8080/healthz"]
ENTRYPOINT ["/venv/bin/python3", "-m", "gateway"]
