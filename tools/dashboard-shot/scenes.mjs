#!/usr/bin/env node
// scenes.mjs write OUT.om DEMO.om PORTFOLIO.om    the samples of all scenes, as OpenMetrics, from histories of the demo
// scenes.mjs draw FOLDER [--scene NAME] [--dashboard NAME,...|all] [--from FOLDER] [--prom URL] [--theme dark|light]
//     [--width N] [--suffix TEXT] --end TIME
//
// A scene is a good or a bad day. Each is a job of one Prometheus, so that all of them are drawn from one server, and says
// which panels must have which text. `draw` makes a picture of each dashboard that a scene has texts of, two at a time, and
// exits with 1 if a text is wrong. `write` prints the end of the scenes, which `draw` needs.
import fs from 'node:fs';
import path from 'node:path';
import readline from 'node:readline';
import { openRenderer } from './shot.mjs';

const HOUR = 3600;
const FACT = /^edgeimpulse_(organization|trial|dataset|project|user|whitelabel|bucket|pipeline|api_key)_/;
const same = (sample) => [sample];
// Since the fault, every call of the account fails, and the exporter shows what it has.
const failing = (sample, since) => {
  if (sample.name === 'edgeimpulse_scrape_collector_last_success_timestamp_seconds') return [{ ...sample, value: String(since) }];
  if (sample.name === 'edgeimpulse_up' || sample.name === 'edgeimpulse_scrape_collector_success') return [{ ...sample, value: '0' }];
  if (sample.name === 'edgeimpulse_scrape_collector_stale') return [{ ...sample, value: '1' }];
  return [sample];
};
const incomplete = { 'Over a limit': /incomplete|not known/, 'Near a limit': /incomplete|not known/, 'Trials expired': /incomplete|not known/ };
// What was wrong when it was last read still is, as far as anybody knows.
const lastKnown = {
  'Buckets lost': /incomplete\s+1$/,
  'Pipelines failing': /incomplete\s+1$/,
  'Pipelines overdue': /incomplete\s+1$/,
  'Longest wait': /^\d+ waiting · incomplete\s+[1-9][\d.]* (hours|days)$/,
  'Time limit used': /incomplete\s+[89]\d\.\d%$/,
  'Next key expires in': /incomplete\s+([89]|10) d$/,
};
const notKnown = Object.fromEntries([...Object.keys(lastKnown), 'Buckets', 'Pipelines', 'Jobs', 'API keys by role'].map((title) => [title, /^(not|none) known$/]));
const name = (sample) => sample.labels.organization_name;

// since: hours from the fault to the end. change: what it makes of a sample after the fault (`all`: of each sample).
// like: another scene, whose texts must be shown too. bad: nothing is known for sure, so that no panel shows a green zero.
// organization: the one that the dashboards of one organization show, with its name. texts: by dashboard and panel; the
// dashboards are Organization, and those that `one` names.
export const scenes = {
  good: {
    organization: ['1002', 'Borealis Wearables'],
    change: same,
    texts: {
      overview: {
        'Firing now': /^Severity[^]*critical\s+EntitlementExceeded\s+Delta Agritech\s+1004\s+projects[^]*(Borealis|Renamed) Wearables\s+1002\s+key 10021[^]*bucket wearables-archive \(71\)[^]*bucket wearables-raw \(72\)[^]*AccountDown\s+–\s+–\s+account second$/,
        'Over a limit': /^of 14\s+1$/, 'Near a limit': /^of 14\s+1$/, 'Trials ending': /^of 14\s+1$/, 'Accounts down': /^0$/,
      },
      organization: { 'Firing now': /bucket wearables-archive \(71\)[^]*bucket wearables-raw \(72\)/, 'Storage used': /of the limit[\s\S]*used[\s\S]*limit/, 'Trial expires in': /no trial/, Deleted: /^no$/ },
      operations: {
        'Buckets lost': /^of 11\s+1$/,
        'Pipelines overdue': /^of 4\s+1$/,
        'Next key expires in': /^\d+ expire\s+([89]|10) d$/,
        Buckets: /^State[\s\S]*lost\s+wearables-archive\s+(Borealis|Renamed) Wearables/,
        Pipelines: /overdue\s+gait-quality\s+Aurora Health/,
      },
    },
  },
  'api-failing': {
    organization: ['1002', 'Borealis Wearables'],
    since: 3,
    // The results of some organizations are older than the exporter keeps them.
    change: (sample, after, hours, since) => (/^100[4-6]$/.test(sample.labels.organization_id) && FACT.test(sample.name) ? [] : failing(sample, since)),
    bad: true,
    texts: {
      overview: { ...incomplete, 'Trials ending': /^not known$/ },
      organization: { 'Trial expires in': /^not known$/ },
      fleet: { 'Idle for 30 days': /incomplete|not known/ },
      operations: { ...lastKnown, Pipelines: /overdue\s+gait-quality/, Jobs: /hours\s+8\d%/ },
    },
  },
  'exporter-down': {
    organization: ['1002', 'Borealis Wearables'],
    since: 0.5,
    change: () => [],
    bad: true,
    texts: {
      overview: { ...incomplete, 'Accounts down': /not known/, 'Calls failing': /not known/ },
      exporter: { Replicas: /^not known$/, 'Errors in 24 hours': /^not known$/, Panics: /^not known$/ },
      operations: { ...lastKnown, Buckets: /^not known$/, Jobs: /^not known$/ },
    },
  },
  'exporter-gone': {
    organization: ['1002', 'Borealis Wearables'],
    since: 5,
    change: () => [],
    bad: true,
    texts: { overview: { ...incomplete, 'Trials ending': /^not known$/ }, operations: notKnown, organization: { 'Trial expires in': /^not known$/, Deleted: /not known/ } },
  },
  'account-dead': {
    organization: ['1008', 'Glacier Prototypes'],
    since: 3,
    all: true,
    // The exporter was restarted since: it has nothing of the account.
    change: (sample, after, hours, since) => {
      const second = Number(sample.labels.organization_id) >= 1006;
      if (!second) return sample.name === 'edgeimpulse_up' ? [sample, { ...sample, labels: { ...sample.labels, account: 'second' }, value: after ? '0' : '1' }] : [sample];
      if (after && FACT.test(sample.name)) return [];
      const moved = { ...sample, labels: { ...sample.labels, ...(sample.labels.account && { account: 'second' }) } };
      return after ? failing(moved, since) : [moved];
    },
    bad: true,
    one: ['operations'],
    texts: { overview: { ...incomplete, 'Accounts down': /^1$/ }, organization: { 'Trial expires in': /^not known$/ }, operations: notKnown },
  },
  // The key or the user may not read buckets and keys any more, and the jobs of one organization cannot be read.
  'collector-refused': {
    organization: ['1003', 'Cascade Robotics'],
    since: 3,
    change: (sample, after, hours, since) => {
      const { collector, organization_id } = sample.labels;
      if (/^edgeimpulse_(bucket_|api_key_|organization_api_keys)/.test(sample.name)) return [];
      if (/^(buckets|api_keys)$/.test(collector) && /_(success|supported)$/.test(sample.name)) return [{ ...sample, value: '0' }];
      if (/^(buckets|api_keys)$/.test(collector) && /^edgeimpulse_scrape/.test(sample.name)) return [];
      return collector === 'jobs' && organization_id === '1003' ? failing(sample, since) : [sample];
    },
    texts: {
      operations: { ...notKnown, ...lastKnown, 'Buckets lost': /^not known$/, 'Next key expires in': /known$/, 'Pipelines failing': /^of 4\s+1$/, 'Pipelines overdue': /^of 4\s+1$/, Pipelines: /gait/, Jobs: /\d hours/ },
      overview: { 'Over a limit': /incomplete/ },
    },
  },
  'key-only': {
    organization: ['1006', 'Fjord Startup'],
    all: true,
    change: (sample) =>
      (sample.labels.organization_id === '1006' && !/^edgeimpulse_(trial|user|whitelabel)_|_(admins|private_projects)$|_api_key/.test(sample.name) && !/user|trials|whitelabel|plan|api_keys/.test(sample.labels.collector)) ||
      /^(edgeimpulse_up|edgeimpulse_exporter|process_)/.test(sample.name)
        ? [sample]
        : [],
    texts: {
      overview: { 'Trials ending': /needs a JWT/ },
      organization: { 'Trial expires in': /needs a JWT/ },
      operations: { 'Buckets lost': /^of 1\s+0$/, 'Next key expires in': /^none known$/, 'API keys by role': /^not known$/, 'Personal plans': /^not known$/ },
    },
  },
  namespaces: {
    organization: ['1002', 'Borealis Wearables'],
    all: true,
    change: (sample) =>
      ['east', 'west'].map((namespace) => ({ ...sample, labels: { ...sample.labels, namespace, pod: 'exporter-' + namespace, instance: namespace + ':10101' } })),
    texts: { overview: { Organizations: /^14$/ } },
    like: 'good',
  },
  rename: {
    organization: ['1002', 'Renamed Wearables'],
    since: 2,
    change: (sample) => [sample.labels.organization_id === '1002' && name(sample) ? { ...sample, labels: { ...sample.labels, organization_name: 'Renamed Wearables' } } : sample],
    texts: {},
    like: 'good',
  },
  deletion: {
    organization: ['1003', 'Cascade Robotics'],
    since: 4,
    change: (sample, after, hours) =>
      sample.labels.organization_id !== '1003'
        ? [sample]
        : sample.name === 'edgeimpulse_organization_created_timestamp_seconds' && hours > 2
          ? [{ ...sample, name: 'edgeimpulse_organization_deleted_timestamp_seconds', value: String(sample.time - HOUR) }]
          : [],
    texts: { organization: { Deleted: /^\d{4}-\d\d-\d\d$/, 'Trial expires in': /^not known$/, 'Storage used': /not known/ } },
  },
  // More compute time than the limit of a year, counted over 600 days: this is not over the limit.
  'compute-over-years': {
    organization: ['1003', 'Cascade Robotics'],
    all: true,
    change: (sample) => {
      if (sample.labels.organization_id !== '1003') return [sample];
      if (sample.name === 'edgeimpulse_organization_compute_time_used_seconds') return [{ ...sample, value: '1e9' }];
      if (sample.name === 'edgeimpulse_organization_compute_period_start_timestamp_seconds') return [{ ...sample, value: String(sample.time - 600 * 24 * HOUR) }];
      return [sample];
    },
    texts: { overview: { 'Over a limit': /^of 14\s+1$/ } },
  },
  portfolio: {
    organization: ['1002', 'Borealis Wearables'],
    demo: 'portfolio',
    change: same,
    texts: { overview: { Organizations: /^500$/ }, fleet: { 'Storage in use': /^of \d{3}\s/ } },
  },
};

const parse = (line) => {
  const [, metric, labels = '', value, time] = line.match(/^(\w+)(?:\{(.*)\})? (\S+) (\S+)$/s) ?? [];
  return metric && { name: metric, labels: Object.fromEntries([...labels.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)].map((m) => m.slice(1))), value, time: Number(time) };
};
const text = ({ name, labels, value, time }) =>
  `${name}{${Object.entries(labels)
    .map(([key, value]) => `${key}="${value}"`)
    .join(',')}} ${value} ${time}\n`;
const lines = (file) => readline.createInterface({ input: fs.createReadStream(file) });

async function write(out, ...demos) {
  const output = fs.openSync(out, 'w');
  let aligned;
  for (const [kind, file] of [['demo', demos[0]], ['portfolio', demos[1]]]) {
    let end = 0;
    for await (const line of lines(file)) if (line[0] !== '#') end = Math.max(end, parse(line).time);
    // All scenes end at the same time, the last hours as if scraped every five minutes, at full minutes. Before, samples are at
    // full hours, where graphs have their steps.
    aligned ??= Math.floor(end / 300) * 300;
    const used = Object.entries(scenes).filter(([, scene]) => (scene.demo ?? 'demo') === kind);
    let chunk = [];
    for await (const line of lines(file)) {
      if (line[0] === '#') continue;
      const sample = parse(line);
      const time = sample.time - end + aligned;
      const step = kind === 'demo' ? HOUR : 12 * HOUR;
      const recent = aligned - time < 2 * HOUR;
      // Lists of projects show the newest samples only.
      if (!recent && sample.name.startsWith('edgeimpulse_project_')) continue;
      const times = recent ? Array.from({ length: Math.min(step, 2 * HOUR) / 300 }, (_, i) => time + 300 * i).filter((t) => t <= aligned) : [Math.ceil(time / HOUR) * HOUR];
      for (const at of times)
        for (const [job, scene] of used) {
          const hours = (aligned - at) / HOUR;
          const after = scene.since !== undefined && hours <= scene.since;
          const before = { ...sample, time: at, labels: { ...sample.labels, job } };
          for (const changed of scene.all || after ? scene.change(before, after, hours, aligned - scene.since * HOUR) : [before]) chunk.push(text(changed));
        }
      if (chunk.length > 50000) fs.writeSync(output, chunk.join('')), (chunk = []);
    }
    // What Prometheus would say of the alerts.
    for (let time = aligned - 2 * HOUR; time <= aligned && kind === 'demo'; time += 300)
      for (const [name, severity, about] of [
        ['EntitlementExceeded', 'critical', { organization_id: '1004', entitlement: 'projects' }],
        ['StorageFillingUp', 'warning', { organization_id: '1002', entitlement: 'storage' }],
        ['BucketDisconnected', 'warning', { organization_id: '1002', bucket: 'wearables-archive', bucket_id: '71' }],
        ['BucketDisconnected', 'warning', { organization_id: '1002', bucket: 'wearables-raw', bucket_id: '72' }],
        ['ApiKeyExpiringSoon', 'warning', { organization_id: '1002', key_id: '10021' }],
        ['CollectorFailing', 'warning', { organization_id: '1002', account: 'first', collector: 'usage' }],
        ['AccountDown', 'warning', { account: 'second' }],
      ])
        chunk.push(text({ name: 'ALERTS', labels: { alertname: 'EdgeImpulse' + name, alertstate: 'firing', severity, job: 'good', ...about }, value: 1, time }));
    fs.writeSync(output, chunk.join(''));
  }
  fs.writeSync(output, '# EOF\n');
  console.log(aligned);
}

const GREEN = /rgb\((115, 191, 105|86, 166, 75|55, 135, 45|27, 133, 94|26, 127, 75)/;
// What a panel must never say while it does not know it.
const ASSERTION = /^(none|never|no|no trial|no limit|not within a year|not foreseen)$/;
const ofOne = (scene, dashboard) => dashboard === 'organization' || scene.one?.includes(dashboard);
function check(scene, dashboard, panels, others) {
  const wrong = [];
  const texts = { ...scenes[scene.like]?.texts[dashboard], ...scene.texts[dashboard] };
  for (const [title, expected] of Object.entries(texts)) {
    const panel = panels.find((panel) => panel.title === title);
    if (!expected.test(panel?.text ?? '')) wrong.push(`${title}: ${JSON.stringify(panel?.text)} is not ${expected}`);
  }
  for (const { title, text, colours } of scene.bad ? panels : []) {
    if (/^(.*\n)?0(\n.*)?$/.test(text) && colours.some((colour) => GREEN.test(colour))) wrong.push(`${title}: a green zero`);
    if (/^(not|none) known$/.test(text) && colours.some((colour) => GREEN.test(colour))) wrong.push(`${title}: green, but not known`);
    if (ASSERTION.test(text)) wrong.push(`${title}: asserts ${text}`);
  }
  const page = panels.find((panel) => panel.title === '').text;
  if (ofOne(scene, dashboard)) {
    if (!page.includes(scene.organization[1])) wrong.push(`the page does not name ${scene.organization}`);
    for (const other of others) if (page.includes(other)) wrong.push(`the page names ${other}`);
  }
  return wrong;
}

const iso = (seconds) => new Date(seconds * 1000).toISOString();

async function draw(folder, options) {
  const prom = options.prom ?? 'http://127.0.0.1:19090';
  const here = import.meta.dirname;
  const ask = async (query, time) => (await (await fetch(`${prom}/api/v1/query?${new URLSearchParams({ query, time })}`)).json()).data.result;
  const end = Number(options.end);
  let failed = false;
  fs.mkdirSync(folder, { recursive: true });
  const infos = await ask('last_over_time(edgeimpulse_organization_info{job="good"}[7d])', String(end));
  const draws = [];
  for (const [job, scene] of Object.entries(scenes)) {
    if (options.scene && !options.scene.split(',').includes(job)) continue;
    const checked = new Set(['organization', ...Object.keys({ ...scenes[scene.like]?.texts, ...scene.texts })]);
    const all = ['overview', 'organization', 'operations', 'fleet', 'exporter'];
    for (const dashboard of options.dashboard === 'all' ? all : (options.dashboard?.split(',') ?? checked)) draws.push([job, scene, dashboard]);
  }
  const renderer = await openRenderer(prom);
  const one = async ([job, scene, dashboard]) => {
    const names = infos.filter((it) => it.metric.organization_id !== scene.organization[0]).map((it) => it.metric.organization_name);
    const others = names.filter((name) => name && !name.includes('\n'));
    const file = path.join(folder, `${job}-${dashboard}${options.suffix ?? ''}`);
    const query = [`var-job=${job}`, `from=${iso(end - 5 * 24 * HOUR)}`, `to=${iso(end)}`];
    if (ofOne(scene, dashboard)) query.push(`var-organization=${scene.organization[0]}`);
    const from = path.join(options.from ?? path.join(here, '../../dashboards'), `${dashboard}.json`);
    const { queries, errors } = await renderer.render(from, `${file}.png`, { ...options, query, texts: `${file}.json` });
    for (const query of queries) if (query.error) errors.push(JSON.stringify(query));
    const wrong = check(scene, dashboard, JSON.parse(fs.readFileSync(`${file}.json`)), others);
    for (const line of [...errors, ...wrong]) console.log(`${job} / ${dashboard}: ${line}`);
    failed ||= errors.length > 0 || wrong.length > 0;
    console.log(`${job} / ${dashboard}: drawn`);
  };
  const worker = async () => {
    while (draws.length) await one(draws.shift());
  };
  await Promise.all([worker(), worker()]);
  await renderer.close();
  process.exit(failed ? 1 : 0);
}

const [command, ...rest] = process.argv.slice(2);
const [positional, options] = [[], {}];
while (rest.length) rest[0].startsWith('--') ? (options[rest.shift().slice(2)] = rest.shift()) : positional.push(rest.shift());
if (command === 'write') await write(...positional);
else await draw(positional[0], options);
