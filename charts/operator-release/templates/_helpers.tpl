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

{{/* "true" where a git URL is reached over SSH, else nothing. */}}
{{- define "operator-release.ssh" -}}
{{- if not (hasPrefix "https://" .) -}}true{{- end -}}
{{- end -}}

{{/* The port of a git server: the URL's own, else the protocol's. In user@host:path the colon precedes a path. */}}
{{- define "operator-release.gitPort" -}}
{{- $server := regexFind "^(https|ssh)://[^/]+" . -}}
{{- $port := regexFind ":[0-9]+$" $server | trimPrefix ":" -}}
{{- default (ternary "22" "443" (eq (include "operator-release.ssh" .) "true")) $port -}}
{{- end -}}

{{/* The ports that pods connect to, as a YAML list: HTTPS always, then those of the git servers and registries that the values name. */}}
{{- define "operator-release.ports" -}}
{{- $to := .Values.audit.destinations -}}
{{- $ports := list "443" (include "operator-release.gitPort" .Values.repository.url) -}}
{{- with $to.remote -}}
{{- $ports = append $ports (include "operator-release.gitPort" .) -}}
{{- end -}}
{{- range list $to.registry $to.backup -}}
{{- with regexFind ":[0-9]+" (. | default "" | trimPrefix "oci://" | splitList "/" | first) -}}
{{- $ports = append $ports (trimPrefix ":" .) -}}
{{- end -}}
{{- end -}}
{{- range $to.plainHTTP -}}
{{- $ports = append $ports (regexFind ":[0-9]+$" . | trimPrefix ":" | default "80") -}}
{{- end -}}
{{- uniq $ports | toYaml -}}
{{- end -}}

{{/* Where the audit reads, in words, for whoever installs the chart. */}}
{{- define "operator-release.where" -}}
{{- $to := .Values.audit.destinations -}}
{{- $named := without (list $to.registry $to.remote $to.backup) "" nil -}}
{{- if $to.configured -}}
where its settings say
{{- else if $named -}}
at {{ join ", " $named }}
{{- else -}}
in git alone
{{- end -}}
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
{{- if .Values.credentials.existingSecret -}}
{{- $_ := set $data "passwd" "root:x:0:0:root:/root:/usr/sbin/nologin\noperator-release:x:65532:65532::/tmp:/usr/sbin/nologin\n" -}}
{{- /* git would also store what it was given, and complain that the Secret is read-only: only "get" is passed on. */ -}}
{{- $helper := "!f() { test \\\"$1\\\" != get || git credential-store --file=/etc/git-secret/git-credentials get; }; f" -}}
{{- $_ := set $data "gitconfig" (printf "[credential]\n\thelper = \"%s\"\n" $helper) -}}
{{- end -}}
{{- with $data -}}
{{- toYaml . -}}
{{- end -}}
{{- end -}}

{{/* Environment variables of a container that asks git servers: by the Secret's credentials. */}}
{{- define "operator-release.gitEnv" -}}
# Missing credentials are an error, not a question.
- name: GIT_TERMINAL_PROMPT
  value: "0"
{{- if .Values.credentials.existingSecret }}
- name: GIT_CONFIG_GLOBAL
  value: /etc/operator-release/gitconfig
- name: GIT_SSH_COMMAND
  value: ssh -F /dev/null -o BatchMode=yes -o IdentitiesOnly=yes -o StrictHostKeyChecking=yes -o UserKnownHostsFile=/etc/git-secret/known_hosts -i /etc/git-secret/ssh-privatekey
{{- end }}
{{- end -}}

{{/* The mounts that belong to it, or nothing. */}}
{{- define "operator-release.gitMounts" -}}
{{- if .Values.credentials.existingSecret -}}
- name: git-secret
  mountPath: /etc/git-secret
  readOnly: true
# ssh refuses to run as a user it finds no entry for.
- name: config
  mountPath: /etc/passwd
  subPath: passwd
  readOnly: true
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
