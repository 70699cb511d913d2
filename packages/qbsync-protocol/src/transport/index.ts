export {
  type ClientDuplexStream,
  Metadata,
  type sendUnaryData,
  type ServerDuplexStream,
  type ServerWritableStream,
  type ServiceError,
  status as grpcStatus,
} from "@grpc/grpc-js";
export { type BufferPlan, planBuffers } from "./buffer-plan.ts";
export { ByteBudget } from "./byte-budget.ts";
export type { ClientTls } from "./client-tls.ts";
export { connectQbSync, type ConnectOptions } from "./connect.ts";
export type { Rejection, ServerTls } from "./gate.ts";
export { GrpcError } from "./grpc-error.ts";
export { ServeError, type ServeOptions, serveQbSync, type Serving } from "./serve.ts";
export type { ReceiveWindows } from "./receive-windows.ts";
