import './boot.jsx';
import React from 'react';
import { createRoot } from 'react-dom/client';
import { BrowserRouter } from 'react-router-dom';
import { config } from '@grafana/runtime';
import { ThemeContext, GlobalStyles, PortalContainer, getPortalContainer } from '@grafana/ui';
import { registerAll } from './plugins.jsx';
import { toScene } from './dash.js';
import { sceneGraph, SceneQueryRunner } from '@grafana/scenes';
import { LoadingState } from '@grafana/data';

registerAll();
const q = new URLSearchParams(location.search);
window.__expand = q.get('expand') === '1';
const file = q.get('dashboard');
const r = await fetch('/dashboards/' + file);
const json = await r.json();
if (q.get('from')) json.time = { from: q.get('from'), to: q.get('to') ?? 'now' };
for (const v of json.templating?.list ?? [])
  if (q.has('var-' + v.name)) {
    const a = q.getAll('var-' + v.name),
      x = v.multi ? a : a[0];
    v.current = { value: x, text: x };
  }
const scene = toScene(json);
window.__scene = scene;
window.__loading = () =>
  sceneGraph
    .findAllObjects(scene, (o) => o instanceof SceneQueryRunner && o.isActive)
    .some((o) => ![LoadingState.Done, LoadingState.Error].includes(o.state.data?.state));
document.body.style.background = config.theme2.colors.background.canvas;
class Boundary extends React.Component {
  state = {};
  static getDerivedStateFromError(e) {
    return { e };
  }
  render() {
    return this.state.e ? <pre style={{ color: 'red' }}>{String(this.state.e.stack)}</pre> : this.props.children;
  }
}
createRoot(document.getElementById('root')).render(
  <ThemeContext.Provider value={config.theme2}>
    <GlobalStyles />
    <Boundary>
      <BrowserRouter>
        <div style={{ padding: '8px 16px 0', fontSize: 18, fontWeight: 500 }}>{json.title}</div>
        <div style={{ padding: 16 }}>
          <scene.Component model={scene} />
        </div>
      </BrowserRouter>
    </Boundary>
  </ThemeContext.Provider>,
);
