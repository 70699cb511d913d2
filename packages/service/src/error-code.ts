/** The system's word for what went wrong, such as `ENOENT`; undefined where it gave none. */
export function errorCode(error: unknown): string | undefined {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : undefined;
}
