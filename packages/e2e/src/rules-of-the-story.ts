/** Sorts distributions, which is what the torrents of the stories are. */
export const distributions = `rules:
  - name: Distributions
    context: [added]
    conditions:
      - { field: info.name, operator: matches, value: '(?i)^(debian|ubuntu|fedora)' }
    actions:
      - { type: set_category, params: { category: distributions } }
      - { type: add_tag, params: { tag: keep } }
`;
