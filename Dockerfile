# The production server: `docker build --tag latchkey-server .`, then `docker run … latchkey-server migrate` and
# `docker run … latchkey-server`. compose.yaml shows a whole installation; docs/operations.md has the rest.
ARG PYTHON=3.13

FROM python:${PYTHON}-slim AS build
RUN pip install --no-cache-dir --root-user-action=ignore --disable-pip-version-check uv==0.13.9
WORKDIR /usr/src/latchkey
# uv holds what it downloads to the hashes in the lock. Bytecode is compiled now, since the server may write nowhere.
COPY pyproject.toml requirements.lock ./
RUN uv venv --no-cache /opt/latchkey \
 && uv pip install --no-cache --compile-bytecode --python /opt/latchkey --constraints requirements.lock \
      --requirements pyproject.toml
COPY README.md LICENSE ./
COPY src src
RUN uv pip install --no-cache --compile-bytecode --python /opt/latchkey --build-constraints requirements.lock --no-deps .

FROM python:${PYTHON}-slim
LABEL org.opencontainers.image.title="latchkey-server" \
      org.opencontainers.image.description="User accounts and sign-in for your app, as one self-hosted service." \
      org.opencontainers.image.licenses="MIT"
COPY --from=build /opt/latchkey /opt/latchkey
ENV PATH=/opt/latchkey/bin:/usr/local/bin:/usr/bin:/bin \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    HOST=0.0.0.0 \
    PORT=3000
WORKDIR /srv
USER 10001:10001
EXPOSE 3000
# Whether the process answers, not whether the database does: an outage there is no reason to replace this container.
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s \
  CMD ["python", "-I", "-c", "import http.client, os, sys; c = http.client.HTTPConnection('127.0.0.1', int(os.environ['PORT']), timeout=4); c.request('GET', '/healthz'); sys.exit(c.getresponse().status != 200)"]
ENTRYPOINT ["latchkey"]
CMD ["serve"]
