# The server over HTTP, for callers with keys of their own (docs/deploy.md). It writes to /data alone, so the rest of
# the file system may be read-only:
#   docker build -t trips-mcp .
#   docker run --read-only --tmpfs /tmp -v trips-data:/data -p 127.0.0.1:8848:8848 trips-mcp

FROM python:3.11-slim AS build
ENV UV_COMPILE_BYTECODE=1 \
    UV_LINK_MODE=copy \
    UV_NO_CACHE=1 \
    UV_PROJECT_ENVIRONMENT=/opt/trips-mcp \
    UV_PYTHON=/usr/local/bin/python3
RUN pip install --no-cache-dir "uv>=0.13,<0.14"
WORKDIR /build
# Dependencies first: this layer stays as it is when only the source changes. They are the set that pyproject.toml
# names as tested.
COPY pyproject.toml ./
RUN uv sync --no-dev --extra postgresql --extra uvloop --no-install-project
COPY README.md LICENSE ./
COPY src src
RUN uv sync --no-dev --extra postgresql --extra uvloop --no-editable

FROM python:3.11-slim
LABEL io.modelcontextprotocol.server.name="io.github.trips-mcp/trips-mcp" \
      org.opencontainers.image.source="https://github.com/trips-mcp/trips-mcp" \
      org.opencontainers.image.version="0.1.0" \
      org.opencontainers.image.licenses="MIT"
RUN useradd --uid 10001 --user-group --home-dir /data --create-home --shell /usr/sbin/nologin trips \
    && chmod 700 /data
COPY --from=build /opt/trips-mcp /opt/trips-mcp
ENV PATH=/opt/trips-mcp/bin:$PATH \
    HOME=/data \
    PYTHONDONTWRITEBYTECODE=1 \
    TRIPS_MCP_TRANSPORT=http \
    TRIPS_MCP_HOST=0.0.0.0 \
    TRIPS_MCP_PORT=8848 \
    TRIPS_MCP_AUTH=key \
    TRIPS_MCP_JOURNAL=/data/journal.db
USER 10001:10001
WORKDIR /data
VOLUME /data
EXPOSE 8848
HEALTHCHECK --interval=15s --timeout=5s --start-period=20s --retries=3 \
    CMD ["python", "-c", "import http.client, os, sys; c = http.client.HTTPConnection('127.0.0.1', int(os.environ['TRIPS_MCP_PORT']), timeout=4); c.request('GET', '/healthz'); sys.exit(c.getresponse().status != 200)"]
ENTRYPOINT ["trips-mcp"]
CMD ["serve"]
