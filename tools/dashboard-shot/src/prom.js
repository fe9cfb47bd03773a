// A minimal Prometheus data source: Prometheus HTTP API -> Grafana data frames.
import { DataSourceApi, FieldType, toDataFrame, LoadingState, rangeUtil } from '@grafana/data';
import { sceneGraph } from '@grafana/scenes';
import { from } from 'rxjs';

const esc = (s) =>
  String(s)
    .replace(/\\/g, '\\\\')
    .replace(/[$^*{}[\]+?.()|]/g, '\\\\$&');
const escPlain = (s) => String(s).replace(/\\/g, '\\\\').replace(/"/g, '\\"');
export function promFormat(value, variable) {
  if (!variable?.multi && !variable?.includeAll) return typeof value === 'string' ? escPlain(value) : String(value);
  if (typeof value === 'string') return esc(value);
  const v = value.map(esc);
  return v.length === 1 ? v[0] : '(' + v.join('|') + ')';
}
const legend = (fmt, labels, expr) => {
  if (fmt && fmt !== '__auto') return fmt.replace(/\{\{\s*(.+?)\s*\}\}/g, (_, k) => labels[k] ?? '');
  const { __name__, ...rest } = labels;
  const l = Object.entries(rest)
    .map(([k, v]) => `${k}="${v}"`)
    .join(', ');
  return (__name__ ?? '') + (l ? `{${l}}` : '') || expr;
};
const fmtSec = (s) =>
  s % 86400 === 0 ? s / 86400 + 'd' : s % 3600 === 0 ? s / 3600 + 'h' : s % 60 === 0 ? s / 60 + 'm' : s + 's';
const num = (s) => (s === '+Inf' ? Infinity : s === '-Inf' ? -Infinity : s === 'NaN' ? NaN : Number(s));

async function api(path, params) {
  window.__pending++;
  const j = await fetch('/prom/api/v1/' + path + '?' + new URLSearchParams(params))
    .then((r) => r.json())
    .finally(() => window.__pending--);
  if (j.status !== 'success') throw new Error(j.error);
  return j.data;
}
window.__queries = [];
window.__pending = 0;

export class PromDS extends DataSourceApi {
  constructor(settings, scrapeInterval = 15) {
    super(settings);
    this.scrape = scrapeInterval;
    this.meta = settings.meta;
  }
  query(req) {
    return from(this.run(req));
  }
  async run(req) {
    const obj = req.scopedVars?.__sceneObject?.value?.valueOf?.();
    const frames = [];
    let error;
    for (const t of req.targets) {
      if (t.hide || !t.expr) continue;
      const start = req.range.from.valueOf() / 1000,
        end = req.range.to.valueOf() / 1000;
      const min = t.interval ? rangeUtil.intervalToSeconds(String(t.interval).replace(/^>/, '')) : this.scrape;
      let step = Math.max(Math.ceil((end - start) / (req.maxDataPoints || 800)), min);
      step = Math.max(step, Math.ceil((end - start) / 11000));
      const scrape = t.interval ? min : this.scrape; // Grafana: the query's Min step, else the data source's scrape interval
      const rate = Math.max(step + scrape, 4 * scrape);
      const scoped = {
        ...req.scopedVars,
        __interval: { value: fmtSec(step) },
        __interval_ms: { value: step * 1000 },
        __rate_interval: { value: fmtSec(rate) },
        __rate_interval_ms: { value: rate * 1000 },
        __range: { value: Math.round(end - start) + 's' },
        __range_s: { value: Math.round(end - start) },
      };
      const expr = obj ? sceneGraph.interpolate(obj, t.expr, scoped, promFormat) : t.expr;
      const rec = { panel: obj?.parent?.state?.title ?? req.panelId, refId: t.refId, expr, step };
      window.__queries.push(rec);
      try {
        if (t.format === 'table' || t.instant) {
          const d = await api('query', { query: expr, time: end });
          const rows = d.resultType === 'scalar' ? [{ metric: {}, value: d.result }] : d.result;
          rec.series = rows.length;
          if (t.format === 'table') {
            const names = [...new Set(rows.flatMap((r) => Object.keys(r.metric)))].sort();
            if (!rows.length) {
              frames.push(toDataFrame({ refId: t.refId, fields: [] }));
              continue;
            }
            frames.push(
              toDataFrame({
                refId: t.refId,
                length: rows.length,
                fields: [
                  { name: 'Time', type: FieldType.time, values: rows.map((r) => r.value[0] * 1000), config: {} },
                  ...names.map((n) => ({
                    name: n,
                    type: FieldType.string,
                    values: rows.map((r) => r.metric[n] ?? ''),
                    config: { filterable: true },
                  })),
                  {
                    name: req.targets.length > 1 ? 'Value #' + t.refId : 'Value',
                    type: FieldType.number,
                    values: rows.map((r) => num(r.value[1])),
                    config: {},
                  },
                ],
              }),
            );
          } else for (const r of rows) frames.push(this.frame(t, r.metric, [r.value], expr));
        } else {
          const d = await api('query_range', {
            query: expr,
            start: Math.floor(start / step) * step,
            end: Math.floor(end / step) * step,
            step,
          });
          rec.series = d.result.length;
          for (const s of d.result) frames.push(this.frame(t, s.metric, s.values, expr, step));
        }
      } catch (e) {
        error = { message: `${t.refId}: ${e.message}`, refId: t.refId };
        rec.error = e.message;
      }
    }
    return { data: frames, error, state: error ? LoadingState.Error : LoadingState.Done, key: req.requestId };
  }
  frame(t, labels, values, expr, step) {
    const name = legend(t.legendFormat, labels, expr);
    return toDataFrame({
      refId: t.refId,
      name,
      meta: { type: 'timeseries-multi', custom: { resultType: 'matrix' } },
      fields: [
        {
          name: 'Time',
          type: FieldType.time,
          values: values.map((v) => v[0] * 1000),
          config: { interval: (step || 0) * 1000 },
        },
        {
          name: 'Value',
          type: FieldType.number,
          labels,
          // Infinite values and NaN would stretch the axis of a graph: they are gaps.
          values: values.map((v) => (step && !Number.isFinite(num(v[1])) ? null : num(v[1]))),
          config: { displayNameFromDS: name },
        },
      ],
    });
  }
  async metricFindQuery(query, options) {
    const q0 = typeof query === 'string' ? query : (query?.query ?? '');
    const obj = options?.scopedVars?.__sceneObject?.value?.valueOf?.();
    const range = options?.range;
    const length = { __range: { value: Math.round((range?.to.valueOf() - range?.from.valueOf()) / 1000) + 's' } };
    const q = obj ? sceneGraph.interpolate(obj, q0, { ...options?.scopedVars, ...length }, promFormat) : q0;
    const tr = range ? { start: range.from.valueOf() / 1000, end: range.to.valueOf() / 1000 } : {};
    let m;
    if ((m = q.match(/^label_values\((?:(.+),\s*)?([a-zA-Z_][\w]*)\)\s*$/s))) {
      const vals = m[1]
        ? await api(`label/${m[2]}/values`, { 'match[]': m[1], ...tr })
        : await api(`label/${m[2]}/values`, tr);
      window.__queries.push({ variable: q, values: vals.length });
      return vals.map((text) => ({ text }));
    }
    if ((m = q.match(/^query_result\((.+)\)\s*$/s))) {
      const d = await api('query', { query: m[1], time: tr.end });
      window.__queries.push({ variable: q, values: d.result.length });
      return d.result.map((r) => {
        const { __name__ = '', ...l } = r.metric;
        return {
          text:
            __name__ +
            '{' +
            Object.entries(l)
              .map(([k, v]) => k + '="' + v + '"')
              .join(',') +
            '} ' +
            r.value[1] +
            ' ' +
            r.value[0] * 1000,
        };
      });
    }
    throw new Error('variable query not supported by this harness: ' + q);
  }
  async testDatasource() {
    return { status: 'success', message: 'ok' };
  }
}
