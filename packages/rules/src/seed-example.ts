/** The example of the language's own plan, byte for byte. */
export const seedExample = `rules:
  - name: "Auto-categorize HD content on add"
    enabled: true
    stop_on_match: true
    conditions:
      context: on_added  # Changed from "trigger"
      all:
        - field: info.name
          operator: matches
          value: '(?i).*(1080p|2160p|4k).*'
    actions:
      - type: set_category
        params:
          category: "Movies-HD"
      - type: add_tag
        params:
          tag: "hd"

  - name: "Cleanup old completed torrents"
    enabled: true
    conditions:
      context: scheduled  # Run with: qbt-rules --context scheduled
      all:
        - field: info.state
          operator: in
          value: ["uploading", "pausedUP", "stalledUP"]
        - field: info.completion_on
          operator: older_than
          value: "30 days"
        - field: info.ratio
          operator: ">="
          value: 2.0
    actions:
      - type: delete_torrent
        params:
          delete_files: false

  - name: "Force seed low-seeded content"
    enabled: true
    conditions:
      context: scheduled
      all:
        - field: info.num_complete
          operator: "<="
          value: 2
        - field: info.state
          operator: in
          value: ["pausedUP", "stalledUP"]
    actions:
      - type: force_start
`;
