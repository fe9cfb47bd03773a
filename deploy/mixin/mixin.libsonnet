// A monitoring mixin of the files beside it: import this file with the whole repository as the package, for example
//   jb install REPOSITORY && (import 'edgeimpulse-exporter/deploy/mixin/mixin.libsonnet') { _config+:: {...} }
{
  _config+:: {
    // Optional alerts on good practice.
    hygiene: false,
    // Where alerts link to. Without a value: the one of rules.yaml.
    runbooks: null,
    grafana: null,
    // Numbers by the name in the comment behind them in rules.yaml, such as {near: 0.7}.
    thresholds: {},
    // Severities by the name of the alert, such as {EdgeImpulseAccountDown: 'critical'}.
    severities: {},
    extraLabels: {},
    extraAnnotations: {},
  },

  local config = self._config,
  local groups(text) = std.parseYaml(text).groups,

  // Replaces the last word before ` # NAME`.
  local line(text) =
    local parts = std.split(text, ' # ');
    if std.length(parts) == 2 && std.objectHas(config.thresholds, parts[1]) then
      local words = std.split(parts[0], ' ');
      std.join(' ', words[:std.length(words) - 1] + ['%g' % config.thresholds[parts[1]]]) + ' # ' + parts[1]
    else text,

  local rule(it) = it {
    expr: std.join('\n', std.map(line, std.split(it.expr, '\n'))),
  } + (
    if std.objectHas(it, 'alert') then {
      labels: config.extraLabels + it.labels
              + (if std.objectHas(config.severities, it.alert) then { severity: config.severities[it.alert] } else {}),
      annotations: config.extraAnnotations + it.annotations,
    } else if it.record == 'edgeimpulse:links:info' then {
      labels: it.labels + std.prune({ runbooks: config.runbooks, grafana: config.grafana }),
    } else {}
  ),

  local all = groups(importstr '../prometheus/rules.yaml')
              + (if config.hygiene then groups(importstr '../prometheus/rules-hygiene.yaml') else []),
  local select(kind) = std.filter(
    function(group) std.length(group.rules) > 0,
    [group { rules: [rule(it) for it in group.rules if std.objectHas(it, kind)] } for group in all]
  ),

  prometheusAlerts+:: { groups+: select('alert') },
  prometheusRules+:: { groups+: select('record') },
  grafanaDashboards+:: {
    'edgeimpulse-exporter.json': import '../../dashboards/exporter.json',
    'edgeimpulse-fleet.json': import '../../dashboards/fleet.json',
    'edgeimpulse-organization.json': import '../../dashboards/organization.json',
    'edgeimpulse-overview.json': import '../../dashboards/overview.json',
  },
}
