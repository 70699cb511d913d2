export { type FakePia, type FakePiaOptions, startFakePia } from "./fake-pia.ts";
export type { FakePiaGateway, GatewayCall } from "./gateway.ts";
export {
  type PayloadStyle,
  type PiaAnswer,
  PiaModel,
  type PiaModelOptions,
  type PiaRequest,
  piaTerms,
} from "./model.ts";
export type { PortBindings } from "./port-bindings.ts";
