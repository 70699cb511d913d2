import type { Field, FieldType, Value } from "./field.ts";

/** Preferences of 4.1 to 5.3 by their type; passwords are left out on purpose, explain would show them. */
const booleans = `
  add_stopped_enabled add_to_top_of_queue add_trackers_enabled add_trackers_from_url_enabled
  alternative_webui_enabled announce_to_all_tiers announce_to_all_trackers anonymous_mode
  auto_tmm_enabled autorun_enabled autorun_on_torrent_added_enabled
  block_peers_on_privileged_ports bypass_auth_subnet_whitelist_enabled bypass_local_auth
  category_changed_tmm_enabled confirm_remove_all_tags confirm_remove_tracker_from_all_torrents
  confirm_torrent_deletion confirm_torrent_recheck create_subfolder_enabled
  delete_torrent_content_files dht dont_count_slow_torrents dyndns_enabled
  embedded_tracker_port_forwarding enable_coalesce_read_write enable_embedded_tracker
  enable_multi_connections_from_same_ip enable_multi_connections_from_same_peer_id enable_os_cache
  enable_piece_extent_affinity enable_upload_suggestions excluded_file_names_enabled
  file_log_backup_enabled file_log_delete_old file_log_enabled i2p_enabled i2p_mixed_mode
  i2p_pex_enabled idn_support_enabled ignore_ssl_errors incomplete_files_ext ip_filter_enabled
  ip_filter_trackers limit_lan_peers limit_tcp_overhead limit_utp_rate lsd
  mail_notification_auth_enabled mail_notification_enabled mail_notification_ssl_enabled
  mark_of_the_web max_inactive_seeding_time_enabled max_ratio_enabled max_seeding_time_enabled
  merge_trackers performance_warning pex preallocate_all proxy_auth_enabled proxy_bittorrent
  proxy_hostname_lookup proxy_misc proxy_peer_connections proxy_rss proxy_torrents_only
  queueing_enabled random_port reannounce_when_address_changed recheck_completed_torrents
  remove_torrent_file_backup resolve_peer_countries resolve_peer_host_names
  rss_auto_downloading_enabled rss_download_repack_proper_episodes rss_processing_enabled
  save_path_changed_tmm_enabled scheduler_enabled seeding_outgoing_connections ssl_enabled
  ssrf_mitigation start_paused start_paused_enabled status_bar_external_ip
  store_search_job_results store_search_jobs temp_path_enabled torrent_changed_tmm_enabled
  torrent_files_backup_enabled torrent_files_finished_backup_dir_enabled upnp
  use_category_paths_in_manual_mode use_https use_subcategories use_unwanted_folder
  validate_https_tracker_certificate web_ui_clickjacking_protection_enabled
  web_ui_csrf_protection_enabled web_ui_host_header_validation_enabled
  web_ui_reverse_proxy_enabled web_ui_secure_cookie_enabled web_ui_upnp
  web_ui_use_custom_http_headers_enabled
`;
const numbers = `
  alt_dl_limit alt_up_limit announce_port async_io_threads auto_delete_mode bdecode_depth_limit
  bdecode_token_limit bittorrent_protocol checking_memory_use connection_speed disk_cache
  disk_cache_ttl disk_io_read_mode disk_io_type disk_io_write_mode disk_queue_size dl_limit
  dyndns_service embedded_tracker_port encryption file_log_age file_log_age_type file_log_max_size
  file_pool_size hashing_threads hostname_cache_ttl i2p_inbound_length i2p_inbound_length_variance
  i2p_inbound_quantity i2p_outbound_length i2p_outbound_length_variance i2p_outbound_quantity
  i2p_port listen_port max_active_checking_torrents max_active_downloads max_active_torrents
  max_active_uploads max_concurrent_http_announces max_connec max_connec_per_torrent
  max_inactive_seeding_time max_outstanding_block_requests max_ratio max_ratio_act
  max_seeding_time max_uploads max_uploads_per_torrent memory_working_set_limit outgoing_ports_max
  outgoing_ports_min peer_tos peer_turnover peer_turnover_cutoff peer_turnover_interval proxy_port
  proxy_type refresh_interval request_queue_size rss_fetch_delay rss_max_articles_per_feed
  rss_refresh_interval save_resume_data_interval save_statistics_interval schedule_from_hour
  schedule_from_min schedule_to_hour schedule_to_min scheduler_days send_buffer_low_watermark
  send_buffer_watermark send_buffer_watermark_factor shutdown_timeout
  slow_torrent_dl_rate_threshold slow_torrent_inactive_timer slow_torrent_ul_rate_threshold
  socket_backlog_size socket_receive_buffer_size socket_send_buffer_size ssl_listen_port
  stop_tracker_timeout torrent_file_size_limit up_limit upload_choking_algorithm
  upload_slots_behavior upnp_lease_duration utp_tcp_mixed_mode web_ui_ban_duration
  web_ui_max_auth_fail_count web_ui_port web_ui_session_timeout web_ui_sessions_count_limit
`;
const texts = `
  add_trackers add_trackers_url add_trackers_url_list alternative_webui_path announce_ip
  app_instance_name autorun_on_torrent_added_program autorun_program banned_IPs
  bypass_auth_subnet_whitelist current_interface_address current_interface_name
  current_network_interface dht_bootstrap_nodes dyndns_domain dyndns_username excluded_file_names
  export_dir export_dir_fin file_log_path i2p_address ip_filter_path locale
  mail_notification_email mail_notification_encryption_type mail_notification_sender
  mail_notification_smtp mail_notification_username proxy_ip proxy_username python_executable_path
  resume_data_storage_type rss_smart_episode_filters save_path share_limits_mode temp_path
  torrent_content_layout torrent_content_remove_option torrent_files_backup_dir
  torrent_files_finished_backup_dir torrent_stop_condition web_ui_address
  web_ui_custom_http_headers web_ui_domain_list web_ui_https_cert_path web_ui_https_key_path
  web_ui_reverse_proxies_list web_ui_username webtorrent_stun_server
`;

const transfer: readonly (readonly [string, FieldType, string])[] = [
  ["dl_info_speed", "bytes", "download speed of all torrents, bytes/s"],
  ["up_info_speed", "bytes", "upload speed of all torrents, bytes/s"],
  ["dl_info_data", "bytes", "downloaded since the start"],
  ["up_info_data", "bytes", "uploaded since the start"],
  ["dl_rate_limit", "bytes", "download limit, bytes/s; 0 none"],
  ["up_rate_limit", "bytes", "upload limit, bytes/s; 0 none"],
  ["connection_status", "text", "connected, firewalled or disconnected"],
  ["dht_nodes", "number", "nodes of the DHT"],
];

export function appFields(): Field[] {
  return [
    ...transfer.map(([name, type, about]): Field => ({
      name: `transfer.${name}`,
      type,
      isList: false,
      source: "transfer",
      about,
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- operators know what to do with any type
      read: ({ world }) => world.transfer?.[name] as Value,
    })),
    ...preferences(booleans, "boolean"),
    ...preferences(numbers, "number"),
    ...preferences(texts, "text"),
  ];
}

function preferences(words: string, type: FieldType): Field[] {
  return words
    .trim()
    .split(/\s+/)
    .map((name) => preference(name, type));
}

function preference(name: string, type: FieldType): Field {
  return {
    name: `app.${name}`,
    type,
    isList: false,
    source: "app",
    about: "preference",
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- operators know what to do with any type
    read: ({ world }) => world.preferences?.[name] as Value,
  };
}
