{{/* The chart's name, or what replaces it. */}}
{{- define "operator-release.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 52 | trimSuffix "-" -}}
{{- end -}}

{{/* The name of every object. 52 characters: a CronJob's name may not be longer, as its jobs append eleven. */}}
{{- define "operator-release.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride -}}
{{- else -}}
{{- $name := include "operator-release.name" . -}}
{{- if contains $name .Release.Name -}}
{{- .Release.Name | trunc 52 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 52 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* What identifies the pods; the NetworkPolicy selects by it. */}}
{{- define "operator-release.selectorLabels" -}}
app.kubernetes.io/name: {{ include "operator-release.name" . | quote }}
app.kubernetes.io/instance: {{ .Release.Name | quote }}
{{- end -}}

{{/* The labels of every object. A label cannot hold the "+" of a chart version. */}}
{{- define "operator-release.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
{{ include "operator-release.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end -}}

{{- define "operator-release.serviceAccountName" -}}
{{- if .Values.serviceAccount.create -}}
{{- default (include "operator-release.fullname" .) .Values.serviceAccount.name -}}
{{- else -}}
{{- default "default" .Values.serviceAccount.name -}}
{{- end -}}
{{- end -}}

{{- define "operator-release.image" -}}
{{- $image := .Values.image -}}
{{- printf "%s/%s:%s" $image.registry $image.repository (default .Chart.AppVersion $image.tag) -}}
{{- with $image.digest -}}
{{- printf "@%s" . -}}
{{- end -}}
{{- end -}}

{{/* "true" where the repository is reached over SSH, else nothing. */}}
{{- define "operator-release.ssh" -}}
{{- if not (hasPrefix "https://" .Values.repository.url) -}}true{{- end -}}
{{- end -}}

{{/* The port of the git server: the URL's own, else the protocol's. In user@host:path the colon precedes a path. */}}
{{- define "operator-release.gitPort" -}}
{{- $server := regexFind "^(https|ssh)://[^/]+" .Values.repository.url -}}
{{- $port := regexFind ":[0-9]+$" $server | trimPrefix ":" -}}
{{- default (ternary "22" "443" (eq (include "operator-release.ssh" .) "true")) $port -}}
{{- end -}}

{{/* The text of .release.yaml, or nothing. */}}
{{- define "operator-release.config" -}}
{{- if kindIs "string" .Values.config -}}
{{- .Values.config -}}
{{- else if .Values.config -}}
{{- toYaml .Values.config -}}
{{- end -}}
{{- end -}}

{{/* The ConfigMap's data as YAML, or nothing where no ConfigMap is needed. */}}
{{- define "operator-release.configData" -}}
{{- $data := dict -}}
{{- with include "operator-release.config" . | trim -}}
{{- /* From the untrimmed text: leading spaces are indentation. */ -}}
{{- $_ := set $data ".release.yaml" (printf "%s\n" (include "operator-release.config" $ | trimSuffix "\n")) -}}
{{- end -}}
{{- if include "operator-release.ssh" . -}}
{{- $_ := set $data "passwd" "root:x:0:0:root:/root:/usr/sbin/nologin\noperator-release:x:65532:65532::/tmp:/usr/sbin/nologin\n" -}}
{{- end -}}
{{- with $data -}}
{{- toYaml . -}}
{{- end -}}
{{- end -}}

{{/* What the restricted Pod Security Standard asks of a container, and a root file system that nothing can write to. */}}
{{- define "operator-release.containerSecurityContext" -}}
allowPrivilegeEscalation: false
capabilities:
  drop:
    - ALL
readOnlyRootFilesystem: true
{{- end -}}
