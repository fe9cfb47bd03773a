#!/usr/bin/env node
// shot.mjs DASHBOARD.json OUT.png [--prom URL] [--theme dark|light] [--width N] [--query k=v]... [--texts FILE]
// Serves the built harness and the dashboard on loopback, proxies /prom to Prometheus, takes a full-page screenshot,
// and prints every query it ran (exit 1 on a query error, a page error, or, with --no-empty, a query without a series).
import http from 'node:http';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';
const here = path.dirname(fileURLToPath(import.meta.url));
const a = process.argv.slice(2);
const pos = [];
const o = { prom: 'http://127.0.0.1:19090', theme: 'dark', width: '1600', q: [] };
for (let i = 0; i < a.length; i++) {
  if (a[i] === '--query') o.q.push(a[++i]);
  else if (a[i] === '--no-empty') o.noEmpty = true;
  else if (a[i].startsWith('--')) o[a[i].slice(2)] = a[++i];
  else pos.push(a[i]);
}
const [dash, out] = pos;
const types = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
  '.json': 'application/json',
  '.woff2': 'font/woff2',
};
const send = (res, f) => {
  if (!fs.existsSync(f) || !fs.statSync(f).isFile()) {
    res.writeHead(404);
    return res.end();
  }
  res.writeHead(200, { 'content-type': types[path.extname(f)] ?? 'application/octet-stream' });
  fs.createReadStream(f).pipe(res);
};
const srv = http.createServer((req, res) => {
  const u = new URL(req.url, 'http://x');
  if (u.pathname.startsWith('/prom/')) {
    const p = http.request(o.prom + u.pathname.slice(5) + u.search, (r) => {
      res.writeHead(r.statusCode, { 'content-type': 'application/json' });
      r.pipe(res);
    });
    p.on('error', (e) => {
      res.writeHead(502);
      res.end(JSON.stringify({ status: 'error', error: String(e) }));
    });
    return p.end();
  }
  if (u.pathname.startsWith('/dashboards/')) return send(res, path.resolve(dash));
  const icon = u.pathname.match(/build\/img\/(.*)$/);
  if (icon) return send(res, path.join(here, 'node_modules/@grafana/ui/dist/public/img', icon[1]));
  return send(res, path.join(here, 'dist', u.pathname === '/' ? 'index.html' : u.pathname));
});
await new Promise((r) => srv.listen(0, '127.0.0.1', r));
const b = await chromium.launch({
  executablePath: '/usr/bin/chromium',
  args: [
    '--no-sandbox',
    '--disable-gpu',
    '--disable-quic',
    '--no-first-run',
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-sync',
  ],
});
const pg = await b.newPage({ viewport: { width: +o.width, height: 900 }, deviceScaleFactor: 1 });
const errs = [];
pg.on('pageerror', (e) => errs.push('page: ' + (e.stack ?? e)));
pg.on('console', (m) => {
  if (m.type() === 'error' && process.env.DEBUG) console.error('console:', m.text());
});
const qs = new URLSearchParams([
  ['dashboard', path.basename(dash)],
  ['theme', o.theme],
  ['expand', '1'],
  ...o.q.map((x) => x.split(/=(.*)/s).slice(0, 2)),
]);
await pg.goto(`http://127.0.0.1:${srv.address().port}/?${qs}`);
await pg.waitForFunction(() => window.__scene, null, { timeout: 30000 });
// Drawn: no query is running, no panel is loading, and nothing has changed for ten frames.
const drawn = () =>
  pg.evaluate(async () => {
    const frame = () => new Promise((done) => requestAnimationFrame(done));
    const deadline = performance.now() + 120000;
    let seen;
    for (let same = 0; same < 10; await frame()) {
      if (performance.now() > deadline) throw new Error('the dashboard is not drawn after two minutes');
      const now = window.__queries.length + ' ' + document.body.innerText + document.querySelectorAll('canvas').length;
      same = !window.__pending && !window.__loading() && now === seen ? same + 1 : 0;
      seen = now;
    }
    await document.fonts.ready;
  });
await drawn();
const h = await pg.evaluate(() =>
  Math.max(
    document.documentElement.scrollHeight,
    ...[...document.querySelectorAll('.react-grid-layout')].map((e) => e.getBoundingClientRect().bottom + 24),
  ),
);
await pg.setViewportSize({ width: +o.width, height: Math.min(Math.ceil(h), 8000) });
await drawn();
if (o.hover) {
  const [x, y] = o.hover.split(',').map(Number);
  await pg.mouse.move(x, y);
  await drawn();
}
await pg.screenshot({ path: out });
if (o.texts) {
  // The title of each panel, its text, and the colours that it uses; without a title, the text of the whole page.
  const panels = await pg.evaluate(() => [
    { title: '', text: document.body.innerText, colours: [] },
    ...[...document.querySelectorAll('section[data-testid^="data-testid Panel header"]')].map((panel) => {
      const style = [...panel.querySelectorAll('*')].map((e) => getComputedStyle(e));
      const colours = style.flatMap((s) => [s.color, s.backgroundColor, ...(s.backgroundImage.match(/rgba?\([^)]*\)/g) ?? [])]);
      const title = panel.dataset.testid.replace('data-testid Panel header', '').trim();
      return { title, text: panel.innerText.replace(title, '').trim(), colours: [...new Set(colours)] };
    }),
  ]);
  fs.writeFileSync(o.texts, JSON.stringify(panels, null, 1));
}
const queries = await pg.evaluate(() => window.__queries);
const uniq = [...new Map(queries.map((x) => [JSON.stringify([x.panel, x.refId, x.expr, x.variable]), x])).values()];
for (const x of uniq)
  console.log(x.error ? 'ERROR' : x.series === 0 || x.values === 0 ? 'EMPTY' : 'ok', JSON.stringify(x));
for (const e of errs) console.log('ERROR', e);
await b.close();
srv.close();
process.exit(errs.length || uniq.some((x) => x.error || (o.noEmpty && (x.series === 0 || x.values === 0))) ? 1 : 0);
