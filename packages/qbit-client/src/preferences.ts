/**
 * qBittorrent's preferences, by its own names. The ones the sidecars use are typed; all others are there too
 * (about 150 to 220, by version), as `unknown`.
 */
export interface Preferences {
  [preference: string]: unknown;
  /** TCP/uDP port for incoming peers, 1–65535; 0: a random one. */
  listen_port: number;
  /** `true` wins over `listen_port` of the same call. Derived from `listen_port` since 4.4. */
  random_port?: boolean | undefined;
  /** UPnP and NAT-PMP port mapping. */
  upnp?: boolean | undefined;
  /** Interface to listen on (`tun0`); "" is any. qBittorrent accepts names that do not exist, and then listens nowhere. */
  current_network_interface?: string | undefined;
  /** Address to listen on; "" is all, `0.0.0.0` all IPv4, `::` all IPv6. */
  current_interface_address?: string | undefined;
  add_trackers_enabled?: boolean | undefined;
  /** Trackers added to new torrents, one a line. */
  add_trackers?: string | undefined;
  /** 4.4+. Reannounce all torrents when port or interface change. */
  reannounce_when_address_changed?: boolean | undefined;
  autorun_enabled?: boolean | undefined;
  /** Program run when a torrent finishes. */
  autorun_program?: string | undefined;
  /** 4.5+. */
  autorun_on_torrent_added_enabled?: boolean | undefined;
  /** 4.5+. Program run when a torrent is added. */
  autorun_on_torrent_added_program?: string | undefined;
}
