# The runner image: operator-release together with what its stages call, Go and git. There is no RUN, so operator-release
# carries this file out itself: reproducibly, and for any platform without emulation.

# Another base must bring go and git in PATH, and an SSH client where repositories are reached over SSH.
ARG BASE=docker.io/library/golang:1.26.8-bookworm
FROM ${BASE}

ARG TARGETOS
ARG TARGETARCH

LABEL org.opencontainers.image.title="operator-release" \
      org.opencontainers.image.description="A release tool for Kubernetes operators: plan, build once, rehearse, publish, audit." \
      org.opencontainers.image.source="https://github.com/operator-release/operator-release"

# The binary arrives built: the same bytes are released as an archive.
COPY --chown=0:0 --chmod=0755 bin/${TARGETOS}/${TARGETARCH}/operator-release /usr/local/bin/operator-release

# By number, so that Kubernetes can tell that it is not root.
USER 65532:65532

# This user has no home, and /go of the base is not meant for it: whatever Go and git write goes to /tmp, which is also
# what stays writable under a read-only root file system.
ENV HOME=/tmp \
    GOPATH=/tmp/go \
    GOMODCACHE=/tmp/go/pkg/mod \
    GOCACHE=/tmp/go-build

# The repository to release is mounted here; --source defaults to the working directory.
WORKDIR /work

ENTRYPOINT ["operator-release"]
