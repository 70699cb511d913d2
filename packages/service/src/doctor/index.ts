export { type DoctorCheck, type Finding, gigabytes, ok, problem, unknown, type Verdict } from "./check.ts";
export { type ClockReading, compareByHand, compareClocks } from "./clock-skew.ts";
export { keptFile, may, readableFolder, whoami, writableFolder } from "./folders.ts";
export { askHealth, listenAddress, type ListenOptions } from "./listeners.ts";
export { loggedIn, type QbittorrentDoctor, qbittorrentDoctor } from "./qbittorrent.ts";
