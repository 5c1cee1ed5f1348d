# The program alone, as a user without rights, in an image without a shell.
FROM --platform=$BUILDPLATFORM golang:1.26.8-bookworm AS build
ARG TARGETOS
ARG TARGETARCH
ARG VERSION=dev
WORKDIR /src
COPY go.mod go.sum ./
RUN --mount=type=cache,target=/go/pkg/mod go mod download
COPY . .
RUN --mount=type=cache,target=/go/pkg/mod --mount=type=cache,target=/root/.cache/go-build \
    CGO_ENABLED=0 GOOS=$TARGETOS GOARCH=$TARGETARCH \
    go build -trimpath -ldflags "-s -w -X main.version=$VERSION" -o /flyball ./cmd/flyball

FROM gcr.io/distroless/static-debian12:nonroot
COPY --from=build /flyball /usr/local/bin/flyball
USER 65532:65532
EXPOSE 8686
ENTRYPOINT ["/usr/local/bin/flyball"]
CMD ["run", "--config", "/etc/flyball"]
