import type { status } from "@grpc/grpc-js";

/** Ends a call with a status of gRPC; `details` are sent to the caller. */
export class GrpcError extends Error {
  override name = "GrpcError";
  readonly code: status;
  readonly details: string;

  constructor(code: status, details: string, options?: ErrorOptions) {
    super(details, options);
    this.code = code;
    this.details = details;
  }
}
