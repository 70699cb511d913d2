# One image for each app: `docker buildx bake` builds all of docker-bake.hcl, after `npm run build` has made
# apps/<app>/dist. Nothing is run while building, so that images for other architectures need no emulation.
#
# No `# syntax=` line: it would make every build fetch a frontend from Docker Hub.

# https://github.com/GoogleContainerTools/distroless: Node 26 on Debian 13, no shell, no package manager, user 65532.
ARG BASE=gcr.io/distroless/nodejs26-debian13:nonroot@sha256:afc6657a4b662f9cb69ca892b0596e55d6ef81a10e83ee8887b13f602877df89
FROM ${BASE} AS base

# For apps that compute: rules, hashes, streams.
FROM base AS fast
ARG APP
ARG STATE
# The folder for what survives a restart, so that a new volume there belongs to the app: an empty folder of the right
# owner and mode is at hand in the base.
COPY --from=base --chown=65532:65532 /home/nonroot/ ${STATE}/
# The bundle, the licences of what is in it, and in bin/ what people run with `docker exec`.
COPY --chmod=0555 apps/${APP}/dist/ /app/
# One malloc arena rather than one for each thread of libuv's pool, which a service of one thread has no use for.
ENV PATH=/app/bin:/nodejs/bin:/usr/local/bin:/usr/bin:/bin MALLOC_ARENA_MAX=1 NODE_ENV=production
USER 65532:65532
WORKDIR /app
HEALTHCHECK --interval=30s --timeout=10s --start-period=30s --retries=3 \
    CMD ["/nodejs/bin/node", "/app/main.js", "healthcheck"]
ENTRYPOINT ["/nodejs/bin/node", "/app/main.js"]
CMD []

# For apps that wait nearly all the time: V8 without its optimizing compilers, which saves 20 MB.
FROM fast AS lean
ENTRYPOINT ["/nodejs/bin/node", "--lite-mode", "/app/main.js"]

# A run of rules over a whole library leaves garbage that V8 rather keeps than collects: not slower, 20 to 80 MB less.
FROM fast AS rules
ENTRYPOINT ["/nodejs/bin/node", "--optimize-for-size", "/app/main.js"]

# rules-server's program is its client as well, unless it is told to serve.
FROM rules AS server
CMD ["--serve"]
