export {
  type ClientDuplexStream,
  Metadata,
  type sendUnaryData,
  type ServerDuplexStream,
  type ServiceError,
  status as grpcStatus,
} from "@grpc/grpc-js";
export { type BufferPlan, planBuffers } from "./buffer-plan.ts";
export { ByteBudget } from "./byte-budget.ts";
export { connectQbSync, type ConnectOptions } from "./connect.ts";
export { GrpcError } from "./grpc-error.ts";
export { ServeError, type ServeOptions, serveQbSync, type Serving } from "./serve.ts";
export type { ReceiveWindows } from "./receive-windows.ts";
