/** qBittorrent's versions and the Web API version each one speaks (`API_VERSION` in its source at each tag). */
const webApiOf = {
  "4.1.0": "2.0.0",
  "4.1.1": "2.0.1",
  "4.1.3": "2.1.0",
  "4.1.4": "2.1.1",
  "4.1.5": "2.2.0",
  "4.1.9": "2.2.1",
  "4.2.0": "2.3.0",
  "4.2.1": "2.4.0",
  "4.2.3": "2.4.1",
  "4.2.5": "2.5.1",
  "4.3.0": "2.6.0",
  "4.3.1": "2.6.1",
  "4.3.2": "2.7.0",
  "4.3.4": "2.8.1",
  "4.3.9": "2.8.2",
  "4.4.0": "2.8.4",
  "4.4.5": "2.8.5",
  "4.5.0": "2.8.18",
  "4.5.2": "2.8.19",
  "4.6.0": "2.9.2",
  "4.6.7": "2.9.3",
  "5.0.0": "2.11.2",
  "5.1.0": "2.11.4",
  "5.2.0": "2.15.1",
  "5.3.0": "2.16.2",
} as const;

export type FakeVersion = keyof typeof webApiOf;

/**
 * What changed in the Web API, and with which version of it. Endpoints carry their own versions in the route tables.
 * 2.5.1, 2.8.19, 2.11.4 and 2.16.2 are measured (the contract tests compare them with the real program); the version
 * in between is the changelog's where there is one, and the first plausible one otherwise.
 */
const since = {
  // requests and answers
  statusTextInBody: "2.6.0",
  charsetInText: "2.6.0",
  postOnlyEndpoints: "2.8.18",
  headIsGet: "2.11.0",
  unknownMethodIs501: "2.11.0",
  authBeforeScope: "2.6.0",
  missingParamsAreNamed: "2.12.0",
  missingEndpointIsNamed: "2.12.0",
  noContentAnswers: "2.12.0",
  expiringCookie: "2.12.0",
  proxyMustBeAllowed: "2.15.0",
  fetchMetadataChecked: "2.16.0",
  // sessions
  loginStatusCodes: "2.12.0",
  cookieNamedByPort: "2.12.0",
  basicAuth: "2.12.0",
  apiKey: "2.14.1",
  sessionLimit: "2.16.0",
  // preferences
  addTrackersKept: "2.6.1",
  randomPortIsPortZero: "2.8.4",
  maxRatioWithoutSwitch: "2.11.6",
  // torrents
  duplicateFails: "2.8.4",
  failedAddLeavesNothing: "2.8.4",
  stoppedIsUnchecked: "2.8.4",
  addTags: "2.6.2",
  contentLayout: "2.7.0",
  infohashes: "2.8.4",
  activeMeansTraffic: "2.12.0",
  tagFilter: "2.8.4",
  plainSavePath: "2.8.4",
  neverIsMinusOne: "2.9.2",
  sortIsChecked: "2.8.4",
  offsetHasNoDefault: "2.12.0",
  savePathEndsAutoManagement: "2.9.2",
  leavingMovesTorrents: "2.8.4",
  leavingKeepsTorrents: "2.9.2",
  fileIndex: "2.8.2",
  renameByPath: "2.8.1",
  padFilesHidden: "2.8.4",
  zeroMeansNoLimit: "2.8.4",
  removeTrackersIsSilent: "2.8.4",
  trimmedTags: "2.11.0",
  stopStart: "2.11.0",
  inactiveSeedingTime: "2.9.2",
  magnetHasLengthAndOwnName: "2.11.0",
  addAnswersJson: "2.14.0",
  seedMode: "2.16.0",
  shareLimitsMode: "2.16.0",
  shareLimitAction: "2.12.0",
  shareLimitsUnbounded: "2.12.0",
  trackerEndpoints: "2.13.0",
  trackerUrlParam: "2.12.0",
  manyTrackerHashes: "2.12.0",
  subcategoriesAlways: "2.14.0",
  categoryShareLimits: "2.16.0",
  categoryDownloadPath: "2.8.4",
  // sync
  changeBuffer: "2.9.2",
  changesAddUp: "2.12.0",
  trackersInMaindata: "2.5.2",
} as const satisfies Record<string, string>;

type Feature = keyof typeof since;

/** A qBittorrent version as the fake plays it. */
export type Profile = {
  /** e.g. "5.3.0"; `app/version` answers with a `v` before it. */
  app: FakeVersion;
  /** e.g. "2.16.2". */
  webApi: string;
  /** The Web API is this version or later: compared number by number, since 2.8.18 came after 2.8.4. */
  atLeast(version: string): boolean;
  has(feature: Feature): boolean;
};

export function profileOf(app: FakeVersion): Profile {
  const webApi = webApiOf[app];
  const atLeast = (version: string) => compareVersions(webApi, version) >= 0;
  return { app, webApi, atLeast, has: (feature) => atLeast(since[feature]) };
}

function compareVersions(left: string, right: string): number {
  const [leftParts, rightParts] = [left, right].map((version) => version.split(".").map(Number));
  const differs = [0, 1, 2].find((at) => leftParts?.[at] !== rightParts?.[at]) ?? 0;
  return (leftParts?.[differs] ?? 0) - (rightParts?.[differs] ?? 0);
}
