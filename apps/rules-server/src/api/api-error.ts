/** An answer other than the asked-for one. The body is what clients of qbt-rules know: `error` and `message`. */
export class ApiError extends Error {
  override readonly name = "ApiError";
  readonly status: number;
  readonly error: string;
  readonly headers: Readonly<Record<string, string>>;

  constructor(status: number, message: string, headers: Readonly<Record<string, string>> = {}) {
    super(message);
    this.status = status;
    this.error = titles.get(status) ?? "Error";
    this.headers = headers;
  }

  get body(): { error: string; message: string } {
    return { error: this.error, message: this.message };
  }
}

const titles: ReadonlyMap<number, string> = new Map([
  [400, "Bad Request"],
  [401, "Unauthorized"],
  [404, "Not Found"],
  [405, "Method Not Allowed"],
  [413, "Payload Too Large"],
  [415, "Unsupported Media Type"],
  [503, "Service Unavailable"],
]);

/** What came with the request cannot be meant. */
export function badRequest(message: string): ApiError {
  return new ApiError(400, message);
}
