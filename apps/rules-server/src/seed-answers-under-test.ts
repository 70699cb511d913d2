/** The answers the seed prints, byte for byte where they are JSON. */
export const seedAnswers = [
  [
    "GET",
    "/api/health",
    `{"status": "healthy", "version": "0.4.0",
    "queue": {"backend": "sqlite", "pending_jobs": 5, "processing_jobs": 1},
    "worker": {"status": "running", "last_job_completed": "2025-12-13T10:00:05Z"},
    "qbittorrent": {"connected": true, "version": "v5.0.2"}}`,
  ],
  [
    "GET",
    "/api/stats",
    `{"jobs": {"total": 1500, "pending": 5, "processing": 1, "completed": 1450, "failed": 40, "cancelled": 4},
    "performance": {"average_execution_time": "4.2s", "jobs_per_hour": 12.5},
    "queue": {"backend": "sqlite", "depth": 6}, "uptime": "5d 12h 30m"}`,
  ],
  [
    "GET",
    "/api/version",
    `{"version": "0.4.0", "api_version": "1.0", "qbittorrent_api_version": "2024.12.0",
    "build_date": "2025-12-13", "git_commit": "abc123def456"}`,
  ],
  [
    "POST",
    "/api/execute?context=example&hash=abc123",
    `{"job_id": "550e8400-e29b-41d4-a716-446655440000", "status": "pending",
    "context": "scheduled", "hash": "abc123", "queued_at": "2025-12-13T10:00:00Z"}`,
  ],
  [
    "GET",
    "/api/jobs/{id}",
    `{"job_id": "550e8400-e29b-41d4-a716-446655440000", "status": "completed",
    "context": "scheduled", "hash": null, "created_at": "2025-12-13T10:00:00Z", "started_at": "2025-12-13T10:00:01Z",
    "completed_at": "2025-12-13T10:00:05Z",
    "result": {"torrents_processed": 15, "rules_matched": 3, "actions_executed": 5}, "error": null}`,
  ],
  [
    "GET",
    "/api/jobs?status=completed&context=example&limit=20&offset=0",
    `{"total": 150, "limit": 20, "offset": 0,
    "jobs": [{"job_id": "...", "status": "completed", "context": "scheduled", "created_at": "2025-12-13T10:00:00Z",
    "completed_at": "2025-12-13T10:00:05Z"}]}`,
  ],
] as const;

/** Paths and types of all values: what a program that was written for the example relies on. */
export function shapeOf(value: unknown, path = "$"): string[] {
  if (value === null || typeof value !== "object")
    return [`${path}: ${value === null ? "null" : typeof value}`];
  return Object.entries(value).flatMap(([key, each]) => shapeOf(each, `${path}.${key}`));
}
