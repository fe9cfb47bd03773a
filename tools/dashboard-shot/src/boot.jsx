import {
  config,
  setDataSourceSrv,
  setPluginImportUtils,
  setRunRequest,
  setTemplateSrv,
  setBackendSrv,
  setEchoSrv,
  setAppEvents,
  setLocationSrv,
  locationService,
  setPluginLinksHook,
  setPluginComponentsHook,
  setReturnToPreviousHook,
  setCurrentUser,
} from '@grafana/runtime';
import * as RT from '@grafana/runtime';
import {
  EventBusSrv,
  LoadingState,
  standardTransformersRegistry,
  standardTransformers,
  standardFieldConfigEditorRegistry,
  standardEditorsRegistry,
  identityOverrideProcessor,
  numberOverrideProcessor,
  stringOverrideProcessor,
  unitOverrideProcessor,
  thresholdsOverrideProcessor,
  valueMappingsOverrideProcessor,
  displayNameOverrideProcessor,
  dataLinksOverrideProcessor,
  booleanOverrideProcessor,
  setTimeZoneResolver,
  PluginType,
} from '@grafana/data';
import { map, of, from, switchMap } from 'rxjs';
import { PromDS } from './prom.js';

const meta = {
  id: 'prometheus',
  name: 'Prometheus',
  type: PluginType.datasource,
  info: { logos: { small: '', large: '' } },
  metrics: true,
  module: '',
  baseUrl: '',
};
export const dsSettings = {
  id: 1,
  uid: 'prometheus',
  name: 'Prometheus',
  type: 'prometheus',
  isDefault: true,
  access: 'proxy',
  url: '/prom',
  meta,
  jsonData: {},
  readOnly: true,
};
export const ds = new PromDS(dsSettings, Number(new URLSearchParams(location.search).get('scrape')) || 15);
config.datasources = { Prometheus: dsSettings };
config.defaultDatasource = 'Prometheus';

setTimeZoneResolver(() => 'utc');
// every panel type is registered at run time in plugins.jsx; an unknown type is drawn as a note
setPluginImportUtils({
  importPanelPlugin: async (id) => {
    throw new Error('no panel plugin ' + id);
  },
  getPanelPluginFromCache: () => undefined,
});
setDataSourceSrv({
  get: async () => ds,
  getInstanceSettings: () => dsSettings,
  getList: () => [dsSettings],
  reload() {},
  registerRuntimeDataSource() {},
});
setBackendSrv({
  fetch: () => of({ data: {} }),
  get: async () => ({}),
  post: async () => ({}),
  datasourceRequest: async () => ({}),
});
setAppEvents(new EventBusSrv());
setEchoSrv?.({ flush() {}, addBackend() {}, addEvent() {} });
setLocationSrv?.({ update() {} });
setTemplateSrv({
  getVariables: () => [],
  replace: (s) => s ?? '',
  containsTemplate: (s) => /\$/.test(s ?? ''),
  updateTimeRange() {},
});
setPluginLinksHook?.(() => ({ links: [], isLoading: false }));
setPluginComponentsHook?.(() => ({ components: [], isLoading: false }));
setReturnToPreviousHook?.(() => () => {});
setRunRequest((datasource, request, queryFunction) => {
  const res = queryFunction ? queryFunction(request) : datasource.query(request);
  return from(res).pipe(
    map((p) => ({
      state: p.state ?? LoadingState.Done,
      series: p.data,
      error: p.error,
      errors: p.error ? [p.error] : undefined,
      timeRange: request.range,
      request,
    })),
  );
});

const Null = () => null;
standardTransformersRegistry.setInit(() =>
  [...new Map(Object.values(standardTransformers).map((t) => [t.id, t])).values()].map((t) => ({
    id: t.id,
    name: t.name,
    description: t.description,
    transformation: t,
    editor: Null,
    imageDark: '',
    imageLight: '',
  })),
);
standardEditorsRegistry.setInit(() =>
  [
    'number',
    'text',
    'strings',
    'boolean',
    'select',
    'radio',
    'multi-select',
    'unit',
    'color',
    'fieldColor',
    'links',
    'actions',
    'mappings',
    'thresholds',
    'stats-picker',
    'timezone',
    'field-name',
    'dashboard-uid',
    'slider',
    'data-source-picker',
    'string',
    'field-names',
    'nested-frame',
  ].map((id) => ({ id, name: id, editor: Null })),
);
const P = (id, path, process, extra = {}) => ({
  id,
  path,
  name: id,
  process,
  override: Null,
  editor: Null,
  shouldApply: () => true,
  settings: {},
  category: ['Standard options'],
  ...extra,
});
standardFieldConfigEditorRegistry.setInit(() => [
  P('unit', 'unit', unitOverrideProcessor),
  P('min', 'min', numberOverrideProcessor),
  P('max', 'max', numberOverrideProcessor),
  P('decimals', 'decimals', numberOverrideProcessor),
  P('fieldMinMax', 'fieldMinMax', booleanOverrideProcessor),
  P('displayName', 'displayName', displayNameOverrideProcessor),
  P('color', 'color', identityOverrideProcessor, { defaultValue: undefined }),
  P('noValue', 'noValue', stringOverrideProcessor),
  P('links', 'links', dataLinksOverrideProcessor),
  P('actions', 'actions', identityOverrideProcessor),
  P('thresholds', 'thresholds', thresholdsOverrideProcessor, {
    defaultValue: {
      mode: 'absolute',
      steps: [
        { value: -Infinity, color: 'green' },
        { value: 80, color: 'red' },
      ],
    },
  }),
  P('mappings', 'mappings', valueMappingsOverrideProcessor, { defaultValue: [] }),
  P('filterable', 'filterable', booleanOverrideProcessor),
  P('description', 'description', stringOverrideProcessor),
]);
