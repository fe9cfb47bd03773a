{{- define "exporter.chart" -}}
{{- .Values.nameOverride | default .Chart.Name | trunc 40 | trimAll "-" -}}
{{- end -}}

{{/* Name of all objects: the release's name, followed by the chart's name unless the release's name contains it. Without
the dots that a release's name may have, and a Service's may not. */}}
{{- define "exporter.name" -}}
{{- $chart := include "exporter.chart" . -}}
{{- $own := contains $chart .Release.Name | ternary .Release.Name (printf "%s-%s" .Release.Name $chart) -}}
{{- .Values.fullnameOverride | default $own | replace "." "-" | trunc 40 | trimAll "-" -}}
{{- end -}}

{{/* Selector labels, which are immutable in a Deployment. */}}
{{- define "exporter.selector" -}}
app.kubernetes.io/name: {{ include "exporter.chart" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{/* Labels of an object, with those of a map: each key once, and the selector's cannot be replaced. */}}
{{- define "exporter.labelsWith" -}}
{{- $root := index . 0 -}}
{{- $standard := dict
  "app.kubernetes.io/version" $root.Chart.AppVersion
  "app.kubernetes.io/managed-by" $root.Release.Service
  "helm.sh/chart" (printf "%s-%s" $root.Chart.Name $root.Chart.Version | replace "+" "_") -}}
{{- $selector := include "exporter.selector" $root | fromYaml -}}
{{- merge $selector (deepCopy (index . 1)) (deepCopy $root.Values.commonLabels) $standard | toYaml -}}
{{- end -}}

{{- define "exporter.labels" -}}
{{- include "exporter.labelsWith" (list . dict) -}}
{{- end -}}

{{- define "exporter.serviceAccount" -}}
{{- .Values.serviceAccount.name | default (.Values.serviceAccount.create | ternary (include "exporter.name" .) "default") -}}
{{- end -}}

{{/* Refuses values that contradict each other, with what to do. */}}
{{- define "exporter.check" -}}
{{- $v := .Values -}}
{{- if not (include "exporter.name" . | regexMatch "^[a-z]") -}}
{{- fail (printf "%s does not begin with a letter, as the name of a Service must: set fullnameOverride" (include "exporter.name" .)) -}}
{{- end -}}
{{- $files := compact (list (empty $v.config | ternary "" "config") (empty $v.existingConfigMap | ternary "" "existingConfigMap")
  (empty $v.existingSecret | ternary "" "existingSecret")) -}}
{{- if gt (len $files) 1 -}}
{{- fail (printf "set only one of %s" (join ", " $files)) -}}
{{- end -}}
{{- if and $files $v.demo -}}
{{- fail (printf "demo cannot be combined with %s: the demo has its own account" (first $files)) -}}
{{- end -}}
{{- if $files -}}
{{- range $name, $_ := $v.settings -}}
{{- if hasPrefix "EDGEIMPULSE_" $name -}}
{{- fail (printf "settings.%s cannot be combined with %s: set the option in the configuration file" $name (first $files)) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- range list "listen_addresses" "telemetry_path" "config_file" "probe_listen_address" -}}
{{- if hasKey ($v.config.web | default dict) . -}}
{{- fail (printf "config.web.%s: the chart sets it" .) -}}
{{- end -}}
{{- end -}}
{{- if and $v.web.config $v.web.existingSecret -}}
{{- fail "set only one of web.config, web.existingSecret" -}}
{{- end -}}
{{- if and $v.web.existingSecret (not $v.web.scheme) -}}
{{- fail "web.existingSecret: set web.scheme to http or https, as the web configuration in this Secret serves" -}}
{{- end -}}
{{- $tls := $v.web.config.tls_server_config | default dict -}}
{{- if and (not $v.probes.port) (or $tls.client_allowed_sans (hasPrefix "Require" ($tls.client_auth_type | default ""))) -}}
{{- fail "web.config.tls_server_config requires client certificates, which the kubelet does not have: set probes.port, for example to 10102" -}}
{{- end -}}
{{- range $v.extraEnv -}}
{{- if and $files (hasPrefix "EDGEIMPULSE_" .name) (not (has .name (list "EDGEIMPULSE_API_KEY" "EDGEIMPULSE_JWT"))) -}}
{{- fail (printf "extraEnv: %s cannot be combined with %s: set the option in the configuration file" .name (first $files)) -}}
{{- end -}}
{{- end -}}
{{- $names := dict -}}
{{- range include "exporter.env" . | fromYamlArray -}}
{{- if hasKey $names .name -}}
{{- fail (printf "%s is set twice, by settings, extraEnv or the chart" .name) -}}
{{- end -}}
{{- $_ := set $names .name true -}}
{{- end -}}
{{- end -}}

{{- define "exporter.scheme" -}}
{{- .Values.web.scheme | default (empty .Values.web.config.tls_server_config | ternary "http" "https") -}}
{{- end -}}

{{/* Path of the web configuration, if there is one. */}}
{{- define "exporter.webFile" -}}
{{- if .Values.web.existingSecret -}}
/etc/edgeimpulse-exporter/web/{{ .Values.web.existingSecretKey }}
{{- else if .Values.web.config -}}
/etc/edgeimpulse-exporter/web/web.yaml
{{- end -}}
{{- end -}}

{{/* The configuration file of `config`, with what the chart knows. */}}
{{- define "exporter.config" -}}
{{- $web := dict -}}
{{- with include "exporter.webFile" . }}{{ $_ := set $web "config_file" . }}{{ end -}}
{{- with .Values.probes.port }}{{ $_ := set $web "probe_listen_address" (printf ":%d" (int .)) }}{{ end -}}
{{- $added := dict "log" (dict "format" "json") -}}
{{- if $web }}{{ $_ := set $added "web" $web }}{{ end -}}
{{- merge (deepCopy .Values.config) $added | toYaml -}}
{{- end -}}

{{/* Environment variables of the container. */}}
{{- define "exporter.env" -}}
{{- $env := list -}}
{{- $settings := deepCopy .Values.settings -}}
{{- $file := or .Values.config .Values.existingConfigMap .Values.existingSecret -}}
{{- if $file -}}
{{- $name := empty .Values.config | ternary .Values.configKey "edgeimpulse.yaml" -}}
{{- $env = append $env (dict "name" "EDGEIMPULSE_CONFIG_FILE" "value" (printf "/etc/edgeimpulse-exporter/config/%s" $name)) -}}
{{- else -}}
{{- $settings = merge $settings (dict "EDGEIMPULSE_LOG_FORMAT" "json") -}}
{{- if not .Values.demo -}}
{{- $name := eq .Values.credential.kind "jwt" | ternary "EDGEIMPULSE_JWT_FILE" "EDGEIMPULSE_API_KEY_FILE" -}}
{{- $env = append $env (dict "name" $name "value" "/var/run/secrets/edgeimpulse/credential") -}}
{{- end -}}
{{- with include "exporter.webFile" . -}}
{{- $env = append $env (dict "name" "EDGEIMPULSE_WEB_CONFIG_FILE" "value" .) -}}
{{- end -}}
{{- with .Values.probes.port -}}
{{- $env = append $env (dict "name" "EDGEIMPULSE_WEB_PROBE_LISTEN_ADDRESS" "value" (printf ":%d" (int .))) -}}
{{- end -}}
{{- end -}}
{{- range $name, $value := $settings -}}
{{- $env = append $env (dict "name" $name "value" $value) -}}
{{- end -}}
{{- with concat $env .Values.extraEnv }}{{ toYaml . }}{{ end -}}
{{- end -}}

{{/* A probe: takes the root, the path and the fields of the values. */}}
{{- define "exporter.probe" -}}
{{- $root := index . 0 -}}
{{- $get := dict "path" (index . 1) "port" "http" -}}
{{- if $root.Values.probes.port -}}
{{- $_ := set $get "port" "probes" -}}
{{- else if eq (include "exporter.scheme" $root) "https" -}}
{{- $_ := set $get "scheme" "HTTPS" -}}
{{- end -}}
{{- merge (deepCopy (index . 2)) (dict "httpGet" $get) | toYaml -}}
{{- end -}}

{{/* Ports of the API and of the proxy, as YAML list: from the URLs that are set, else 443. */}}
{{- define "exporter.apiPorts" -}}
{{- $api := .Values.config.api | default dict -}}
{{- $variables := deepCopy .Values.settings -}}
{{- range .Values.extraEnv }}{{ if .value }}{{ $_ := set $variables .name .value }}{{ end }}{{ end -}}
{{- $urls := list ($api.url | default $variables.EDGEIMPULSE_API_URL | default "https://api") $api.proxy_url $variables.EDGEIMPULSE_API_PROXY_URL -}}
{{- range $name, $value := $variables -}}
{{- if has (upper $name) (list "HTTPS_PROXY" "HTTP_PROXY" "ALL_PROXY") -}}
{{- $urls = append $urls $value -}}
{{- end -}}
{{- end -}}
{{- $ports := list -}}
{{- range compact $urls -}}
{{- $url := contains "://" . | ternary . (printf "http://%s" .) | urlParse -}}
{{- $given := regexFind ":[0-9]+$" $url.host | trimPrefix ":" -}}
{{- $ports = append $ports (int ($given | default (eq $url.scheme "http" | ternary "80" "443"))) -}}
{{- end -}}
{{- uniq $ports | toYaml -}}
{{- end -}}

{{/* What the ServiceMonitor, the ScrapeConfig and the Probe share. */}}
{{- define "exporter.scrapeSecurity" -}}
{{- with .Values.serviceMonitor.tlsConfig }}
tlsConfig:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.serviceMonitor.basicAuth }}
basicAuth:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{- define "exporter.address" -}}
{{ include "exporter.name" . }}.{{ .Release.Namespace }}.svc:{{ .Values.service.port }}
{{- end -}}
