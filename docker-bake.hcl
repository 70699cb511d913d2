# docker buildx bake               all images, for the platforms below
# docker buildx bake port-sync     one
# docker buildx bake --print       what would be built

variable "REGISTRY" { default = "ghcr.io/qbit-sidecars" }
variable "VERSION" { default = "dev" }
# Release jobs push by digest, and give the tags when all platforms are there.
variable "BY_DIGEST" { default = false }
variable "REVISION" { default = "unknown" }
variable "BASE" { default = null }
# Of the commit that is built, so that two builds of it give the same image.
variable "SOURCE_DATE_EPOCH" { default = 0 }

group "default" { targets = ["app"] }

target "app" {
  name = app.name
  matrix = {
    app = [
      { name = "port-sync", stage = "lean", state = "/var/lib/port-sync", about = "Keeps qBittorrent's listening port equal to the port the VPN forwards" },
      { name = "pia-forwarder", stage = "lean", state = "/var/lib/pia-forwarder", about = "Obtains, binds and renews a PIA forwarded port, and gives it to qBittorrent" },
      { name = "ntfy-sidecar", stage = "lean", state = "/var/lib/ntfy-sidecar", about = "Tells a phone, through ntfy, how qBittorrent's downloads go" },
      { name = "rules-server", stage = "server", state = "/config", about = "HTTP API, CLI, schedules and web page over a queue of rule jobs for qBittorrent" },
      { name = "rules-worker", stage = "rules", state = "/config", about = "Takes jobs from the queue and applies rules to qBittorrent" },
      { name = "qbsync-source", stage = "fast", state = "/var/lib/qbsync-source", about = "Streams verified pieces out of a qBittorrent while they still download" },
      { name = "qbsync-destination", stage = "fast", state = "/var/lib/qbsync-destination", about = "Receives and verifies pieces, and hands the torrent to a second qBittorrent" },
    ]
  }
  context    = "."
  dockerfile = "Dockerfile"
  target     = app.stage
  platforms  = ["linux/amd64", "linux/arm64"]
  tags       = ["${REGISTRY}/${app.name}${BY_DIGEST ? "" : ":${VERSION}"}"]
  args = {
    APP               = app.name
    STATE             = app.state
    BASE              = BASE
    SOURCE_DATE_EPOCH = SOURCE_DATE_EPOCH
  }
  labels = {
    "org.opencontainers.image.title"         = app.name
    "org.opencontainers.image.description"   = app.about
    "org.opencontainers.image.version"       = VERSION
    "org.opencontainers.image.revision"      = REVISION
    "org.opencontainers.image.source"        = "https://github.com/qbit-sidecars/qbit-sidecars"
    "org.opencontainers.image.documentation" = "https://github.com/qbit-sidecars/qbit-sidecars/blob/main/apps/${app.name}/README.md"
    "org.opencontainers.image.licenses"      = "MIT"
    "org.opencontainers.image.base.name"     = "gcr.io/distroless/nodejs26-debian13:nonroot"
  }
}
