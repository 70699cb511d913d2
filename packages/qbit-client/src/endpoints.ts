/** One call of qBittorrent's Web API, under `api/v2/`. */
export interface Endpoint {
  readonly method: "GET" | "POST";
  /** First Web API version, among qBittorrent's releases, that has the call. */
  readonly since: string;
  /** First Web API version that no longer has it. */
  readonly until?: string;
  /** What it was called before a version. */
  readonly before?: { readonly version: string; readonly path: string };
  /** Parameters that had another name in an older version: present → former. Both are sent. */
  readonly formerly?: Readonly<Record<string, string>>;
  /** What a 404 means that something is missing: "torrent". */
  readonly subject?: string;
  /** Doing it twice is not the same as doing it once: never repeated after a broken connection. */
  readonly once?: true;
  /** What is being done, for messages and the README. */
  readonly about: string;
}

/**
 * Every call this client makes. Versions are those of the Web API (`app/webapiVersion`) at the first release
 * with the call; what is older than 2.2.0 (qBittorrent 4.1.5) is not told apart.
 */
export const endpoints = {
  "auth/login": { method: "POST", since: "2.0.0", once: true, about: "logging in" },
  "auth/logout": { method: "POST", since: "2.0.0", about: "logging out" },
  "app/version": { method: "GET", since: "2.0.0", about: "reading qBittorrent's version" },
  "app/webapiVersion": { method: "GET", since: "2.0.0", about: "reading the Web API's version" },
  "app/buildInfo": { method: "GET", since: "2.3.0", about: "reading the build information" },
  "app/shutdown": { method: "POST", since: "2.0.0", once: true, about: "shutting qBittorrent down" },
  "app/preferences": { method: "GET", since: "2.0.0", about: "reading the preferences" },
  "app/setPreferences": { method: "POST", since: "2.0.0", about: "changing the preferences" },
  "app/defaultSavePath": { method: "GET", since: "2.0.0", about: "reading the default save path" },
  "app/networkInterfaceList": { method: "GET", since: "2.3.0", about: "listing the network interfaces" },
  "app/networkInterfaceAddressList": {
    method: "GET",
    since: "2.3.0",
    about: "listing the addresses of a network interface",
  },
  "app/getDirectoryContent": {
    method: "GET",
    since: "2.11.2",
    subject: "directory",
    about: "listing a directory",
  },
  "app/cookies": { method: "GET", since: "2.11.4", about: "reading the download cookies" },
  "app/setCookies": { method: "POST", since: "2.11.4", about: "setting the download cookies" },
  "app/processInfo": { method: "GET", since: "2.15.1", about: "reading when qBittorrent was started" },
  "app/rotateAPIKey": { method: "POST", since: "2.15.1", once: true, about: "making a new API key" },
  "app/deleteAPIKey": { method: "POST", since: "2.15.1", about: "deleting the API key" },
  "log/main": { method: "GET", since: "2.0.0", about: "reading the log" },
  "log/peers": { method: "GET", since: "2.0.0", about: "reading the log of banned peers" },
  "sync/maindata": { method: "GET", since: "2.0.0", about: "reading what has changed" },
  "sync/torrentPeers": {
    method: "GET",
    since: "2.0.0",
    subject: "torrent",
    about: "listing a torrent's peers",
  },
  "transfer/info": { method: "GET", since: "2.0.0", about: "reading the transfer status" },
  "transfer/speedLimitsMode": {
    method: "GET",
    since: "2.0.0",
    about: "reading which speed limits are in force",
  },
  "transfer/setSpeedLimitsMode": { method: "POST", since: "2.8.18", about: "choosing the speed limits" },
  "transfer/toggleSpeedLimitsMode": {
    method: "POST",
    since: "2.0.0",
    once: true,
    about: "switching between the speed limits",
  },
  "transfer/downloadLimit": { method: "GET", since: "2.0.0", about: "reading the download limit" },
  "transfer/setDownloadLimit": { method: "POST", since: "2.0.0", about: "setting the download limit" },
  "transfer/uploadLimit": { method: "GET", since: "2.0.0", about: "reading the upload limit" },
  "transfer/setUploadLimit": { method: "POST", since: "2.0.0", about: "setting the upload limit" },
  "transfer/banPeers": { method: "POST", since: "2.3.0", about: "banning peers" },
  "torrents/info": { method: "GET", since: "2.0.0", about: "listing torrents" },
  "torrents/count": { method: "GET", since: "2.9.3", about: "counting torrents" },
  "torrents/properties": {
    method: "GET",
    since: "2.0.0",
    subject: "torrent",
    about: "reading a torrent's properties",
  },
  "torrents/trackers": {
    method: "GET",
    since: "2.0.0",
    subject: "torrent",
    about: "listing a torrent's trackers",
  },
  "torrents/webseeds": {
    method: "GET",
    since: "2.0.0",
    subject: "torrent",
    about: "listing a torrent's web seeds",
  },
  "torrents/files": { method: "GET", since: "2.0.0", subject: "torrent", about: "listing a torrent's files" },
  "torrents/pieceStates": {
    method: "GET",
    since: "2.0.0",
    subject: "torrent",
    about: "reading the states of a torrent's pieces",
  },
  "torrents/pieceHashes": {
    method: "GET",
    since: "2.0.0",
    subject: "torrent",
    about: "reading the hashes of a torrent's pieces",
  },
  "torrents/pieceAvailability": {
    method: "GET",
    since: "2.15.1",
    subject: "torrent",
    about: "reading how available a torrent's pieces are",
  },
  "torrents/export": {
    method: "GET",
    since: "2.8.18",
    subject: "torrent",
    about: "exporting a torrent file",
  },
  "torrents/add": {
    method: "POST",
    since: "2.0.0",
    formerly: { stopped: "paused", seedMode: "skip_checking" },
    once: true,
    about: "adding torrents",
  },
  "torrents/delete": { method: "POST", since: "2.0.0", about: "deleting torrents" },
  "torrents/start": {
    method: "POST",
    since: "2.0.0",
    before: { version: "2.11.0", path: "torrents/resume" },
    about: "starting torrents",
  },
  "torrents/stop": {
    method: "POST",
    since: "2.0.0",
    before: { version: "2.11.0", path: "torrents/pause" },
    about: "stopping torrents",
  },
  "torrents/setForceStart": { method: "POST", since: "2.0.0", about: "forcing torrents to run" },
  "torrents/recheck": { method: "POST", since: "2.0.0", about: "rechecking torrents" },
  "torrents/reannounce": { method: "POST", since: "2.1.0", about: "reannouncing torrents" },
  "torrents/addTrackers": { method: "POST", since: "2.0.0", subject: "torrent", about: "adding trackers" },
  "torrents/editTracker": {
    method: "POST",
    since: "2.2.0",
    formerly: { url: "origUrl" },
    subject: "torrent",
    about: "changing a tracker",
  },
  "torrents/removeTrackers": {
    method: "POST",
    since: "2.2.0",
    subject: "torrent",
    about: "removing trackers",
  },
  "torrents/addWebSeeds": { method: "POST", since: "2.11.4", subject: "torrent", about: "adding web seeds" },
  "torrents/editWebSeed": {
    method: "POST",
    since: "2.11.4",
    subject: "torrent",
    once: true,
    about: "changing a web seed",
  },
  "torrents/removeWebSeeds": {
    method: "POST",
    since: "2.11.4",
    subject: "torrent",
    about: "removing web seeds",
  },
  "torrents/addPeers": { method: "POST", since: "2.3.0", about: "adding peers" },
  "torrents/increasePrio": {
    method: "POST",
    since: "2.0.0",
    once: true,
    about: "moving torrents up in the queue",
  },
  "torrents/decreasePrio": {
    method: "POST",
    since: "2.0.0",
    once: true,
    about: "moving torrents down in the queue",
  },
  "torrents/topPrio": { method: "POST", since: "2.0.0", about: "moving torrents to the top of the queue" },
  "torrents/bottomPrio": {
    method: "POST",
    since: "2.0.0",
    about: "moving torrents to the bottom of the queue",
  },
  "torrents/filePrio": {
    method: "POST",
    since: "2.0.0",
    subject: "torrent",
    about: "setting the priority of files",
  },
  "torrents/downloadLimit": { method: "POST", since: "2.0.0", about: "reading torrents' download limits" },
  "torrents/setDownloadLimit": { method: "POST", since: "2.0.0", about: "setting torrents' download limit" },
  "torrents/uploadLimit": { method: "POST", since: "2.0.0", about: "reading torrents' upload limits" },
  "torrents/setUploadLimit": { method: "POST", since: "2.0.0", about: "setting torrents' upload limit" },
  "torrents/setShareLimits": { method: "POST", since: "2.0.1", about: "setting share limits" },
  "torrents/setLocation": { method: "POST", since: "2.0.0", about: "moving torrents" },
  "torrents/setSavePath": { method: "POST", since: "2.8.4", about: "setting torrents' save path" },
  "torrents/setDownloadPath": { method: "POST", since: "2.8.4", about: "setting torrents' download path" },
  "torrents/rename": { method: "POST", since: "2.0.0", subject: "torrent", about: "renaming a torrent" },
  "torrents/renameFile": {
    method: "POST",
    since: "2.4.0",
    subject: "torrent",
    once: true,
    about: "renaming a file",
  },
  "torrents/renameFolder": {
    method: "POST",
    since: "2.8.2",
    subject: "torrent",
    once: true,
    about: "renaming a folder",
  },
  "torrents/setCategory": { method: "POST", since: "2.0.0", about: "setting torrents' category" },
  "torrents/categories": { method: "GET", since: "2.1.1", about: "listing the categories" },
  "torrents/createCategory": { method: "POST", since: "2.0.0", once: true, about: "creating a category" },
  "torrents/editCategory": { method: "POST", since: "2.1.0", about: "changing a category" },
  "torrents/removeCategories": { method: "POST", since: "2.0.0", about: "removing categories" },
  "torrents/tags": { method: "GET", since: "2.3.0", about: "listing the tags" },
  "torrents/createTags": { method: "POST", since: "2.3.0", about: "creating tags" },
  "torrents/deleteTags": { method: "POST", since: "2.3.0", about: "deleting tags" },
  "torrents/addTags": { method: "POST", since: "2.3.0", about: "adding tags to torrents" },
  "torrents/removeTags": { method: "POST", since: "2.3.0", about: "removing tags from torrents" },
  "torrents/setTags": { method: "POST", since: "2.11.4", about: "setting torrents' tags" },
  "torrents/setComment": { method: "POST", since: "2.15.1", about: "setting torrents' comment" },
  "torrents/setAutoManagement": {
    method: "POST",
    since: "2.0.0",
    about: "switching automatic torrent management",
  },
  "torrents/toggleSequentialDownload": {
    method: "POST",
    since: "2.0.0",
    once: true,
    about: "switching sequential download",
  },
  "torrents/toggleFirstLastPiecePrio": {
    method: "POST",
    since: "2.0.0",
    once: true,
    about: "switching the priority of first and last pieces",
  },
  "torrents/setSuperSeeding": { method: "POST", since: "2.0.0", about: "switching super seeding" },
} as const satisfies Readonly<Record<string, Endpoint>>;

export type EndpointName = keyof typeof endpoints;
