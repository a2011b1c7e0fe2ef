# Two stages: the first installs from the lock, hash by hash; the second has neither pip's cache nor the source tree.
FROM python:3.13-slim AS build
WORKDIR /build
RUN python -m venv /opt/meantime
ENV PATH=/opt/meantime/bin:$PATH
COPY requirements.lock ./
RUN pip install --no-cache-dir --disable-pip-version-check --require-hashes -r requirements.lock
COPY pyproject.toml README.md LICENSE ./
COPY src ./src
RUN pip install --no-cache-dir --disable-pip-version-check --no-deps --no-build-isolation .

FROM python:3.13-slim
RUN useradd --system --uid 10001 --no-create-home --shell /usr/sbin/nologin meantime \
    && install --directory --owner meantime --mode 0700 /var/lib/meantime
COPY --from=build /opt/meantime /opt/meantime
ENV PATH=/opt/meantime/bin:$PATH \
    MEANTIME_STATE_DIR=/var/lib/meantime \
    PYTHONDONTWRITEBYTECODE=1
USER 10001
WORKDIR /var/lib/meantime
VOLUME /var/lib/meantime
EXPOSE 5000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:5000/healthz', timeout=2)"]
ENTRYPOINT ["meantime"]
# On loopback inside the container nobody can reach it. Anything else is refused without keys, unless --insecure says
# that the network in front of it is trusted: compose.yaml does so where it publishes the port on loopback only.
CMD ["serve"]
