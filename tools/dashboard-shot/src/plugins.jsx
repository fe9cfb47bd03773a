// Panel plugins: thin wrappers over Grafana's visual components in @grafana/ui.
import {
  PanelPlugin,
  getFieldDisplayValues,
  getDisplayValueAlignmentFactors,
  VizOrientation,
  renderMarkdown,
  FieldColorModeId,
  FieldType,
  getFieldDisplayName,
  formattedValueToString,
  FieldConfigProperty,
  cacheFieldDisplayNames,
} from '@grafana/data';
import {
  BigValue,
  BarGauge,
  Gauge,
  VizRepeater,
  TimeSeries,
  useTheme2,
  TooltipDisplayMode,
  PanelDataErrorView,
} from '@grafana/ui';
import { TableNG } from '@grafana/ui/unstable';
import $ from 'jquery';
import { config } from '@grafana/runtime';
import { sceneUtils } from '@grafana/scenes';

// Grafana's <Gauge> (12.x) draws through jQuery flot's gauge plugin, which only Grafana core carries. A small stand-in:
$.plot = (el, [series], options) => {
  const g = options.series.gauges;
  const w = el.clientWidth,
    h = el.clientHeight,
    r = devicePixelRatio || 1;
  el.innerHTML = '';
  const c = document.createElement('canvas');
  c.width = w * r;
  c.height = h * r;
  c.style.width = w + 'px';
  c.style.height = h + 'px';
  el.appendChild(c);
  const x = c.getContext('2d');
  x.scale(r, r);
  const A0 = Math.PI * 0.9,
    A1 = Math.PI * 2.1;
  const R = Math.min(w / 2, h / 1.35) - 4,
    cx = w / 2,
    cy = R + 4;
  const at = (v) => A0 + (A1 - A0) * Math.min(1, Math.max(0, (v - g.gauge.min) / (g.gauge.max - g.gauge.min)));
  const arc = (rad, width, a, b, color) => {
    x.beginPath();
    x.lineWidth = width;
    x.strokeStyle = color;
    x.arc(cx, cy, rad - width / 2, a, b);
    x.stroke();
  };
  const tw = g.threshold.show ? g.threshold.width : 0;
  const gw = Math.min(g.gauge.width, R / 3);
  const inner = R - tw - 2;
  arc(inner, gw, A0, A1, g.gauge.background.color);
  arc(inner, gw, A0, at(series.data[0][1]), g.value.color);
  if (g.threshold.show) {
    let from = g.gauge.min;
    for (const t of g.threshold.values) {
      const to = Math.min(t.value, g.gauge.max);
      if (to > from) arc(R, tw, at(from), at(to), t.color);
      from = Math.max(from, to);
    }
  }
  x.fillStyle = g.value.color;
  x.font = `500 ${g.value.font.size}px ${g.value.font.family}`;
  x.textAlign = 'center';
  x.textBaseline = 'middle';
  x.fillText(g.value.formatter(), cx, cy - R * 0.08);
};
export const seen = new Set();
const customPaths = [
  'drawStyle',
  'lineInterpolation',
  'lineWidth',
  'fillOpacity',
  'gradientMode',
  'showPoints',
  'pointSize',
  'spanNulls',
  'insertNulls',
  'stacking',
  'barAlignment',
  'barWidthFactor',
  'axisPlacement',
  'axisLabel',
  'axisColorMode',
  'axisBorderShow',
  'axisCenteredZero',
  'axisSoftMin',
  'axisSoftMax',
  'axisWidth',
  'axisGridShow',
  'scaleDistribution',
  'thresholdsStyle',
  'lineStyle',
  'lineColor',
  'fillColor',
  'fillBelowTo',
  'hideFrom',
  'transform',
  'width',
  'minWidth',
  'align',
  'cellOptions',
  'inspect',
  'filterable',
  'hidden',
  'displayMode',
  'wrapHeaderText',
  'footer',
];
const fc = (defs = {}, std = {}) => ({
  standardOptions: std,
  useCustomConfig: (b) => {
    for (const p of customPaths)
      b.addCustomEditor({
        id: p,
        path: p,
        name: p,
        override: () => null,
        editor: () => null,
        process: (v) => v,
        shouldApply: () => true,
        defaultValue: defs[p],
      });
  },
});
const wrapValues = (Comp) => (props) => {
  const theme = useTheme2();
  const { options, data, width, height, fieldConfig, replaceVariables, timeZone, renderCounter } = props;
  const getValues = () =>
    getFieldDisplayValues({
      fieldConfig,
      reduceOptions: { calcs: ['lastNotNull'], values: false, ...options.reduceOptions },
      replaceVariables,
      theme,
      data: data.series,
      sparkline: Comp === Stat && options.graphMode !== 'none',
      percentChange: options.showPercentChange,
      timeZone,
    });
  return (
    <VizRepeater
      getValues={getValues}
      getAlignmentFactors={getDisplayValueAlignmentFactors}
      renderValue={(v) => <Comp {...v} options={options} theme={theme} fieldConfig={fieldConfig} />}
      width={width}
      height={height}
      source={data}
      itemSpacing={3}
      renderCounter={renderCounter ?? 0}
      autoGrid={Comp !== Bar}
      orientation={options.orientation ?? VizOrientation.Auto}
      {...(Comp === Bar
        ? {
            minVizHeight: options.minVizHeight ?? 16,
            minVizWidth: options.minVizWidth ?? 8,
            maxVizHeight: options.sizing === 'manual' ? options.maxVizHeight : undefined,
            itemSpacing: 10,
          }
        : {})}
    />
  );
};
function Stat({ value, width, height, alignmentFactors, count, options, theme }) {
  let textMode = options.textMode ?? 'auto';
  if (textMode === 'auto' && count === 1) textMode = 'value';
  const noTitle = { auto: value.display };
  return (
    <BigValue
      value={value.display}
      count={count}
      sparkline={value.sparkline}
      colorMode={options.colorMode ?? 'value'}
      graphMode={options.graphMode ?? 'area'}
      justifyMode={options.justifyMode ?? 'auto'}
      textMode={textMode}
      alignmentFactors={alignmentFactors}
      text={options.text}
      width={width}
      height={height}
      theme={theme}
      wideLayout={options.wideLayout ?? true}
      percentChangeColorMode={options.percentChangeColorMode}
    />
  );
}
function GaugeC({ value, width, height, options, theme }) {
  return (
    <Gauge
      value={value.display}
      width={width}
      height={height}
      field={value.field}
      text={options.text}
      showThresholdLabels={options.showThresholdLabels ?? false}
      showThresholdMarkers={options.showThresholdMarkers ?? true}
      theme={theme}
    />
  );
}
function Bar({ value, width, height, alignmentFactors, orientation, count, options, theme }) {
  return (
    <BarGauge
      value={value.display}
      width={width}
      height={height}
      orientation={orientation}
      field={value.field}
      text={options.text}
      display={value.view?.getFieldDisplayProcessor?.(value.colIndex) ?? undefined}
      theme={theme}
      itemSpacing={10}
      lcdCellWidth={12}
      displayMode={options.displayMode ?? 'gradient'}
      alignmentFactors={count > 1 ? alignmentFactors : undefined}
      showUnfilled={options.showUnfilled ?? true}
      valueDisplayMode={options.valueMode ?? 'color'}
      namePlacement={options.namePlacement ?? 'auto'}
    />
  );
}

const NoData = ({ fieldConfig }) => (
  <div style={{ display: 'flex', height: '100%', alignItems: 'center', justifyContent: 'center', opacity: 0.7 }}>
    {fieldConfig.defaults.noValue ?? 'No data'}
  </div>
);
// Grafana's core has the state timeline. A stand-in: one row per series, one box per run of equal values.
function Timeline({ data, width, height, timeRange, fieldConfig }) {
  const theme = useTheme2();
  const rows = data.series.flatMap((f) => f.fields.filter((x) => x.type === FieldType.number).map((v) => ({ f, v, t: f.fields[0] })));
  if (!rows.length) return <NoData fieldConfig={fieldConfig} />;
  const label = 170;
  const [from, to] = [timeRange.from.valueOf(), timeRange.to.valueOf()];
  const at = (t) => label + ((t - from) / (to - from)) * (width - label);
  const h = Math.min(height / rows.length, 40);
  return (
    <svg width={width} height={height} style={{ fontSize: 12 }}>
      {rows.map(({ f, v, t }, y) => {
        const boxes = [];
        const step = t.config.interval || 0;
        for (let i = 0; i < v.values.length; i++) {
          const last = boxes.at(-1);
          if (last && last.value === v.values[i] && t.values[i] - last.end <= step) last.end = t.values[i] + step;
          else if (v.values[i] != null) boxes.push({ value: v.values[i], start: t.values[i], end: t.values[i] + step });
        }
        return (
          <g key={y} transform={`translate(0, ${y * h})`}>
            <text x={label - 8} y={h / 2 + 4} textAnchor="end" fill={theme.colors.text.primary}>
              {getFieldDisplayName(v, f, data.series)}
            </text>
            {boxes.map((b, i) => {
              const shown = v.display(b.value);
              const w = Math.max(at(b.end) - at(b.start), 1);
              return (
                <g key={i}>
                  <rect x={at(b.start)} y={1} width={w} height={h - 2} fill={shown.color} fillOpacity={0.8} />
                  {w > 40 && (
                    <text x={at(b.start) + 4} y={h / 2 + 4} fill={theme.colors.getContrastText(shown.color)}>
                      {formattedValueToString(shown)}
                    </text>
                  )}
                </g>
              );
            })}
          </g>
        );
      })}
    </svg>
  );
}
function TS({ data, width, height, timeRange, timeZone, options, fieldConfig }) {
  const frames = data.series.filter(
    (f) =>
      f.length && f.fields.some((x) => x.type === FieldType.time) && f.fields.some((x) => x.type === FieldType.number),
  );
  if (!frames.length) return <NoData fieldConfig={fieldConfig} />;
  return (
    <TimeSeries
      frames={frames}
      structureRev={data.structureRev}
      timeRange={timeRange}
      timeZone={timeZone}
      width={width}
      height={height}
      legend={{ displayMode: 'list', placement: 'bottom', showLegend: true, calcs: [], ...options.legend }}
      options={options}
    />
  );
}
function Tbl({ data, width, height, options, fieldConfig, timeRange }) {
  cacheFieldDisplayNames(data.series);
  const frame = data.series[options.frameIndex ?? 0] ?? data.series[0];
  if (!frame || !frame.fields.length || !frame.length) return <NoData fieldConfig={fieldConfig} />;
  return (
    <TableNG
      data={frame}
      width={width}
      height={height}
      noHeader={options.showHeader === false}
      initialSortBy={options.sortBy}
      cellHeight={options.cellHeight ?? 'sm'}
      enablePagination={options.enablePagination}
      fieldConfig={fieldConfig}
      timeRange={timeRange}
      structureRev={data.structureRev}
      showTypeIcons={false}
      resizable
    />
  );
}
function Text({ options, replaceVariables }) {
  return (
    <div
      className="markdown-html"
      style={{ height: '100%', overflow: 'auto' }}
      dangerouslySetInnerHTML={{
        __html: options.mode === 'html' ? options.content : renderMarkdown(replaceVariables(options.content ?? '')),
      }}
    />
  );
}
function Missing(id) {
  return () => (
    <div style={{ padding: 8, opacity: 0.7 }}>panel type “{id}” has no component in @grafana/ui; not drawn here</div>
  );
}

const TSDEF = {
  drawStyle: 'line',
  lineInterpolation: 'linear',
  lineWidth: 1,
  fillOpacity: 0,
  gradientMode: 'none',
  showPoints: 'auto',
  pointSize: 5,
  spanNulls: false,
  stacking: { mode: 'none', group: 'A' },
  axisPlacement: 'auto',
  axisColorMode: 'text',
  axisBorderShow: false,
  scaleDistribution: { type: 'linear' },
  thresholdsStyle: { mode: 'off' },
  hideFrom: { tooltip: false, viz: false, legend: false },
  barAlignment: 0,
  barWidthFactor: 0.6,
  axisCenteredZero: false,
  insertNulls: false,
  axisLabel: '',
};
const thr = {
  [FieldConfigProperty.Color]: {
    settings: { byValueSupport: true },
    defaultValue: { mode: FieldColorModeId.Thresholds },
  },
};
const reg = (pluginId, comp, cfg, opts) => {
  const p = new PanelPlugin(comp).useFieldConfig(cfg);
  p.meta = { id: pluginId, name: pluginId, info: { version: '' }, module: '', baseUrl: '', sort: 0 };
  if (opts) p.setPanelOptions(() => {});
  sceneUtils.registerRuntimePanelPlugin({ pluginId, plugin: p });
};
export function registerAll() {
  reg('stat', wrapValues(Stat), fc({}, thr));
  reg('gauge', wrapValues(GaugeC), fc({}, thr));
  reg('bargauge', wrapValues(Bar), fc({}, thr));
  reg(
    'timeseries',
    TS,
    fc(TSDEF, {
      [FieldConfigProperty.Color]: {
        settings: { byValueSupport: true, bySeriesSupport: true, preferThresholdsMode: false },
        defaultValue: { mode: FieldColorModeId.PaletteClassic },
      },
    }),
  );
  reg(
    'table',
    Tbl,
    fc({ align: 'auto', cellOptions: { type: 'auto' }, inspect: false, footer: { reducers: [] } }, thr),
  );
  reg('state-timeline', Timeline, fc({ fillOpacity: 70, lineWidth: 0 }, thr));
  const t = new PanelPlugin(Text);
  t.meta = { id: 'text', name: 'text', info: {}, module: '', baseUrl: '', sort: 0, skipDataQuery: true };
  sceneUtils.registerRuntimePanelPlugin({ pluginId: 'text', plugin: t });
  for (const id of [
    'status-history',
    'piechart',
    'barchart',
    'histogram',
    'heatmap',
    'alertlist',
    'news',
    'dashlist',
    'logs',
    'xychart',
  ])
    reg(id, Missing(id), fc({}, thr));
}
