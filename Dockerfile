# docker build -t topicml . && docker run --rm -v "$PWD/news:/data" topicml batch in.jsonl.gz -o out.jsonl.gz
FROM python:3.12.8-slim-bookworm

COPY pyproject.toml README.md LICENSE /build/
COPY src /build/src
COPY models /build/models
RUN pip install --no-cache-dir '/build[batch,articles]' \
    && rm -r /build \
    && useradd --create-home --uid 10001 topicml

USER topicml
WORKDIR /data
ENTRYPOINT ["topicml"]
