export {
  decideHandOff,
  decideSeen,
  type HandOffDecision,
  type HandOffRequest,
  idOfReturn,
  isStill,
  isUnderWay,
  type SeedingState,
  stateFromTheWire,
  stateOnTheWire,
} from "./hand-off-record.ts";
