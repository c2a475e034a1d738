# Built in one image, run in a small one.
FROM rust:1.95-bookworm AS build
WORKDIR /src
COPY . .
RUN cargo build --release --locked -p ringledger-server

FROM debian:bookworm-slim
RUN useradd --system --uid 10001 --create-home --home-dir /var/lib/ringledger ringledger
COPY --from=build /src/target/release/ringledger /usr/local/bin/ringledger
USER 10001
WORKDIR /var/lib/ringledger
# SIP, HTTP, RTP.
EXPOSE 5060/udp 5060/tcp 8080/tcp 20000-20999/udp
ENTRYPOINT ["ringledger"]
CMD ["serve", "--data", "/var/lib/ringledger/data"]
