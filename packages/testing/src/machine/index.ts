export {
  DebianMachine,
  type Ended,
  type InitSystem,
  isMachineMissing,
  type MachineOptions,
} from "./debian-machine.ts";
