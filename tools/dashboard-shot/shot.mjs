#!/usr/bin/env node
// shot.mjs DASHBOARD.json OUT.png [--prom URL] [--theme dark|light] [--width N] [--query k=v]... [--texts FILE]
// Takes a full-page screenshot of a dashboard, and prints every query it ran (exit 1 on a query error, a page error, or, with
// --no-empty, a query without a series).
//
// openRenderer(PROM) is for many pictures with one browser: render(DASHBOARD, OUT, options) and close().
import http from 'node:http';
import fs from 'node:fs';
import path from 'node:path';
import { chromium } from 'playwright-core';

const here = import.meta.dirname;
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
  // Names of assets contain a hash of their content.
  const cache = f.includes('/assets/') ? { 'cache-control': 'max-age=31536000, immutable' } : {};
  res.writeHead(200, { 'content-type': types[path.extname(f)] ?? 'application/octet-stream', ...cache });
  fs.createReadStream(f).pipe(res);
};
// Serves the built harness and the dashboards on loopback, and proxies /prom to Prometheus.
const serve = async (prom, dashboards) => {
  const srv = http.createServer((req, res) => {
    const u = new URL(req.url, 'http://x');
    if (u.pathname.startsWith('/prom/')) {
      const p = http.request(prom + u.pathname.slice(5) + u.search, (r) => {
        res.writeHead(r.statusCode, { 'content-type': 'application/json' });
        r.pipe(res);
      });
      p.on('error', (e) => {
        res.writeHead(502);
        res.end(JSON.stringify({ status: 'error', error: String(e) }));
      });
      return p.end();
    }
    if (u.pathname.startsWith('/dashboards/')) return send(res, dashboards.get(path.basename(u.pathname)) ?? '');
    const icon = u.pathname.match(/build\/img\/(.*)$/);
    if (icon) return send(res, path.join(here, 'node_modules/@grafana/ui/dist/public/img', icon[1]));
    return send(res, path.join(here, 'dist', u.pathname === '/' ? 'index.html' : u.pathname));
  });
  await new Promise((r) => srv.listen(0, '127.0.0.1', r));
  return srv;
};

export async function openRenderer(prom) {
  const dashboards = new Map();
  const srv = await serve(prom, dashboards);
  const browser = await chromium.launch({
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
  // One context, so that its pages share the cache.
  const context = await browser.newContext({ deviceScaleFactor: 1 });
  const render = async (dash, out, { theme = 'dark', width = 1600, query = [], hover, texts }) => {
    dashboards.set(path.basename(dash), path.resolve(dash));
    const pg = await context.newPage();
    await pg.setViewportSize({ width: +width, height: 900 });
    const errs = [];
    pg.on('pageerror', (e) => errs.push('page: ' + (e.stack ?? e)));
    pg.on('console', (m) => {
      if (m.type() === 'error' && process.env.DEBUG) console.error('console:', m.text());
    });
    const qs = new URLSearchParams([
      ['dashboard', path.basename(dash)],
      ['theme', theme],
      ['expand', '1'],
      ...query.map((x) => x.split(/=(.*)/s).slice(0, 2)),
    ]);
    await pg.goto(`http://127.0.0.1:${srv.address().port}/?${qs}`);
    await pg.waitForFunction(() => window.__scene, null, { timeout: 120000 });
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
    await pg.setViewportSize({ width: +width, height: Math.min(Math.ceil(h), 8000) });
    await drawn();
    if (hover) {
      const [x, y] = hover.split(',').map(Number);
      await pg.mouse.move(x, y);
      await drawn();
    }
    await pg.screenshot({ path: out });
    if (texts) {
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
      fs.writeFileSync(texts, JSON.stringify(panels, null, 1));
    }
    const queries = await pg.evaluate(() => window.__queries);
    const uniq = [...new Map(queries.map((x) => [JSON.stringify([x.panel, x.refId, x.expr, x.variable]), x])).values()];
    await pg.close();
    return { queries: uniq, errors: errs };
  };
  const close = async () => {
    await browser.close();
    srv.close();
  };
  return { render, close };
}

if (process.argv[1] === import.meta.filename) {
  const a = process.argv.slice(2);
  const pos = [];
  const o = { prom: 'http://127.0.0.1:19090', query: [] };
  for (let i = 0; i < a.length; i++) {
    if (a[i] === '--query') o.query.push(a[++i]);
    else if (a[i] === '--no-empty') o.noEmpty = true;
    else if (a[i].startsWith('--')) o[a[i].slice(2)] = a[++i];
    else pos.push(a[i]);
  }
  const renderer = await openRenderer(o.prom);
  const { queries, errors } = await renderer.render(...pos, o);
  for (const x of queries)
    console.log(x.error ? 'ERROR' : x.series === 0 || x.values === 0 ? 'EMPTY' : 'ok', JSON.stringify(x));
  for (const e of errors) console.log('ERROR', e);
  await renderer.close();
  process.exit(errors.length || queries.some((x) => x.error || (o.noEmpty && (x.series === 0 || x.values === 0))) ? 1 : 0);
}
