// Dashboard JSON (schemaVersion 36..42, the classic model) -> a scene.
import {
  EmbeddedScene,
  SceneGridLayout,
  SceneGridRow,
  SceneGridItem,
  SceneTimeRange,
  SceneVariableSet,
  QueryVariable,
  DataSourceVariable,
  CustomVariable,
  TextBoxVariable,
  ConstantVariable,
  IntervalVariable,
  VariableValueSelectors,
  SceneControlsSpacer,
  SceneTimePicker,
  SceneRefreshPicker,
  VizPanel,
  SceneQueryRunner,
  SceneDataTransformer,
  PanelRepeaterGridItem,
  behaviors,
} from '@grafana/scenes';

function variable(v) {
  const base = {
    name: v.name,
    label: v.label ?? undefined,
    description: v.description,
    hide: v.hide ?? 0,
    skipUrlSync: v.skipUrlSync,
  };
  const cur = { value: v.current?.value ?? '', text: v.current?.text ?? '' };
  switch (v.type) {
    case 'datasource':
      return new DataSourceVariable({
        ...base,
        pluginId: v.query,
        regex: v.regex ?? '',
        isMulti: v.multi,
        includeAll: v.includeAll,
        value: 'prometheus',
        text: 'Prometheus',
      });
    case 'query':
      return new QueryVariable({
        ...base,
        ...cur,
        query: v.query,
        datasource: v.datasource,
        regex: v.regex ?? '',
        sort: v.sort ?? 0,
        refresh: v.refresh || 1,
        isMulti: v.multi,
        includeAll: v.includeAll,
        allValue: v.allValue || undefined,
        defaultToAll: v.includeAll,
        allowCustomValue: v.allowCustomValue,
      });
    case 'custom':
      return new CustomVariable({
        ...base,
        ...cur,
        query: v.query,
        isMulti: v.multi,
        includeAll: v.includeAll,
        allValue: v.allValue || undefined,
      });
    case 'textbox':
      return new TextBoxVariable({ ...base, value: v.query ?? '' });
    case 'constant':
      return new ConstantVariable({ ...base, value: v.query ?? '' });
    case 'interval':
      return new IntervalVariable({
        ...base,
        intervals: (v.query ?? '').split(','),
        value: cur.value || (v.query ?? '').split(',')[0],
        autoEnabled: !!v.auto,
      });
    default:
      throw new Error('variable type not supported by this harness: ' + v.type);
  }
}
function panel(p) {
  let $data;
  if (p.targets?.length) {
    $data = new SceneQueryRunner({
      queries: p.targets,
      datasource: p.datasource,
      maxDataPoints: p.maxDataPoints,
      minInterval: p.interval,
      dataLayerFilter: { panelId: p.id },
    });
    if (p.transformations?.length) $data = new SceneDataTransformer({ $data, transformations: p.transformations });
  }
  return new VizPanel({
    key: 'panel-' + p.id,
    title: p.title ?? '',
    description: p.description,
    pluginId: p.type,
    pluginVersion: p.pluginVersion,
    options: p.options ?? {},
    fieldConfig: p.fieldConfig ?? { defaults: {}, overrides: [] },
    displayMode: p.transparent ? 'transparent' : 'default',
    hoverHeader: !p.title,
    $data,
  });
}
function item(p) {
  const g = p.gridPos;
  const o = { key: 'item-' + p.id, x: g.x, y: g.y, width: g.w, height: g.h };
  return p.repeat && PanelRepeaterGridItem
    ? new SceneGridItem({ ...o, body: panel(p) })
    : new SceneGridItem({ ...o, body: panel(p) });
}
export function toScene(d) {
  const top = [];
  let row;
  for (const p of [...d.panels].sort((a, b) => a.gridPos.y - b.gridPos.y || a.gridPos.x - b.gridPos.x)) {
    if (p.type === 'row') {
      row = new SceneGridRow({
        key: 'row-' + p.id,
        title: p.title,
        x: 0,
        y: p.gridPos.y,
        isCollapsed: !!p.collapsed && !window.__expand,
        isCollapsible: true,
        children: (p.panels ?? []).map(item),
      });
      top.push(row);
      if (p.collapsed) row = undefined;
    } else if (row) row.setState({ children: [...row.state.children, item(p)] });
    else top.push(item(p));
  }
  return new EmbeddedScene({
    $timeRange: new SceneTimeRange({
      from: d.time?.from ?? 'now-6h',
      to: d.time?.to ?? 'now',
      timeZone: d.timezone === 'browser' || !d.timezone ? 'utc' : d.timezone,
    }),
    $variables: new SceneVariableSet({
      variables: (d.templating?.list ?? []).filter((v) => v.type !== 'adhoc').map(variable),
    }),
    $behaviors: [new behaviors.CursorSync({ sync: d.graphTooltip ?? 0 })],
    controls: [
      new VariableValueSelectors({}),
      new SceneControlsSpacer(),
      new SceneTimePicker({}),
      new SceneRefreshPicker({ intervals: ['1m', '5m'] }),
    ],
    body: new SceneGridLayout({ isDraggable: false, isResizable: false, isLazy: false, children: top }),
  });
}
