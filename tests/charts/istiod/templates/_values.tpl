{{/* The official chart's precedence: defaults, profile, platform, then the user; and `pilot` over the top level. */}}
{{- define "values" -}}
{{- $values := .Files.Get "files/defaults.yaml" | fromYaml -}}
{{- range $kind, $name := dict "profile-" .Values.profile "profile-platform-" .Values.platform -}}
{{- with $name -}}
{{- $text := $.Files.Get (printf "files/%s%s.yaml" $kind .) -}}
{{- if not $text }}{{ fail (printf "unknown profile or platform %s" .) }}{{ end -}}
{{- $_ := mustMergeOverwrite $values ($text | fromYaml) -}}
{{- end -}}
{{- end -}}
{{- $_ := mustMergeOverwrite $values (deepCopy .Values) -}}
{{- $_ := mustMergeOverwrite $values (deepCopy ($values.pilot | default dict)) -}}
{{- $values | toJson -}}
{{- end -}}

{{- define "suffix" -}}
{{- with .revision }}-{{ . }}{{ end -}}
{{- end -}}

{{- define "labels" -}}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
istio.io/rev: {{ .v.revision | default "default" | quote }}
release: {{ .root.Release.Name }}
{{- end -}}

{{/* The mesh config, the user's over what the chart knows. */}}
{{- define "mesh" -}}
{{- $where := printf "istiod%s.%s.svc:15012" (include "suffix" .v) .root.Release.Namespace -}}
{{- $config := dict "discoveryAddress" $where "meshId" .v.global.meshID -}}
{{- $known := dict "trustDomain" "cluster.local" "rootNamespace" .v.global.istioNamespace "defaultConfig" $config -}}
{{- mustMergeOverwrite $known (deepCopy .v.meshConfig) | toYaml -}}
{{- end -}}

{{/* One webhook of an injector. Pods of the lab are never meant: they do not carry this label. */}}
{{- define "injector" }}
- name: {{ .prefix }}.sidecar-injector.istio.io
  clientConfig:
    {{- if .v.istiodRemote.injectionURL }}
    url: {{ .v.istiodRemote.injectionURL }}
    {{- else }}
    service:
      name: istiod{{ include "suffix" .v }}
      namespace: {{ .root.Release.Namespace }}
      path: {{ .v.istiodRemote.injectionPath }}
      port: 443
    {{- end }}
    {{- with .v.istiodRemote.injectionCABundle }}
    caBundle: {{ . }}
    {{- end }}
  sideEffects: None
  admissionReviewVersions: [v1]
  failurePolicy: Fail
  rules:
  - {operations: [CREATE], apiGroups: [""], apiVersions: [v1], resources: [pods]}
  namespaceSelector:
    matchExpressions:
{{ .namespaces | toYaml | indent 4 }}
  objectSelector:
    matchLabels:
      charts.test/injected: {{ .root.Release.Namespace }}
    matchExpressions:
{{ .objects | toYaml | indent 4 }}
{{- end -}}

{{/* The webhooks of a revision or a tag; `default` also takes what names none. */}}
{{- define "injectors" }}
{{- $allowed := dict "key" "sidecar.istio.io/inject" "operator" "NotIn" "values" (list "false") }}
{{- $wanted := dict "key" "sidecar.istio.io/inject" "operator" "In" "values" (list "true") }}
{{- $ours := dict "key" "istio.io/rev" "operator" "In" "values" (list .selected) }}
{{- $no := dict "rev" (dict "key" "istio.io/rev" "operator" "DoesNotExist") "injection" (dict "key" "istio-injection" "operator" "DoesNotExist") }}
{{- $enabled := dict "key" "istio-injection" "operator" "In" "values" (list "enabled") }}
{{- include "injector" (merge (dict "prefix" "rev.namespace" "namespaces" (list $ours $no.injection) "objects" (list $allowed)) .) }}
{{- include "injector" (merge (dict "prefix" "rev.object" "namespaces" (list $no.rev $no.injection) "objects" (list $allowed $ours)) .) }}
{{- if eq .selected "default" }}
{{- include "injector" (merge (dict "prefix" "namespace" "namespaces" (list $enabled) "objects" (list $allowed)) .) }}
{{- include "injector" (merge (dict "prefix" "object" "namespaces" (list $no.injection $no.rev) "objects" (list $wanted $no.rev)) .) }}
{{- end }}
{{- end -}}
