# docker build -t wyoming-streamwhisper .
# docker run -p 10300:10300 -v streamwhisper:/data wyoming-streamwhisper --model small
FROM python:3.11-slim-bookworm AS build
RUN python -m venv /opt/wyoming-streamwhisper
COPY . /src
RUN /opt/wyoming-streamwhisper/bin/pip install --no-cache-dir "/src[http]"

FROM python:3.11-slim-bookworm
RUN useradd --system --uid 10300 --home-dir /data --create-home streamwhisper
COPY --from=build /opt/wyoming-streamwhisper /opt/wyoming-streamwhisper
ENV PATH=/opt/wyoming-streamwhisper/bin:$PATH \
    STREAMWHISPER_DATA_DIR=/data \
    STREAMWHISPER_STATE_DIR=/data/state
USER streamwhisper
VOLUME /data
EXPOSE 10300
# It answers while the model loads; the start period is for the libraries on a slow disk.
HEALTHCHECK --interval=60s --timeout=10s --start-period=60s \
    CMD ["wyoming-streamwhisper", "client", "--describe"]
ENTRYPOINT ["wyoming-streamwhisper"]
