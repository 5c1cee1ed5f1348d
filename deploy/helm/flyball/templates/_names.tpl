{{- define "flyball.name" -}}
{{- printf "%s" .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- end -}}

{{- define "flyball.selector" -}}
app.kubernetes.io/name: flyball
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "flyball.labels" -}}
{{ include "flyball.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version }}
{{- end -}}

{{- define "flyball.configMap" -}}
{{- if .Values.existingConfigMap }}{{ .Values.existingConfigMap }}{{ else }}{{ include "flyball.name" . }}-config{{ end -}}
{{- end -}}

{{- /* The pod of a role or of the executor; wants root, component, args, resources, account. */ -}}
{{- define "flyball.pod" -}}
{{- $v := .root.Values -}}
metadata:
  labels:
    {{- include "flyball.labels" .root | nindent 4 }}
    app.kubernetes.io/component: {{ .component }}
  annotations:
    # Another configuration is another pod.
    checksum/config: {{ toYaml $v.config | sha256sum }}
    {{- with $v.podAnnotations }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
spec:
  serviceAccountName: {{ .account }}
  automountServiceAccountToken: {{ .mountToken }}
  terminationGracePeriodSeconds: {{ $v.terminationGracePeriodSeconds }}
  securityContext:
    runAsNonRoot: true
    runAsUser: 65532
    runAsGroup: 65532
    fsGroup: 65532
    seccompProfile: {type: RuntimeDefault}
  {{- with $v.imagePullSecrets }}
  imagePullSecrets: {{- toYaml . | nindent 4 }}
  {{- end }}
  containers:
    - name: flyball
      image: "{{ $v.image.repository }}:{{ $v.image.tag | default .root.Chart.AppVersion }}"
      imagePullPolicy: {{ $v.image.pullPolicy }}
      args: {{- toYaml .args | nindent 8 }}
      {{- if $v.existingSecret }}
      envFrom:
        - secretRef: {name: {{ $v.existingSecret }}}
      {{- end }}
      {{- if .probes }}
      ports:
        - {name: http, containerPort: {{ $v.service.port }}, protocol: TCP}
      livenessProbe:
        httpGet: {path: /healthz, port: http}
        periodSeconds: 10
        failureThreshold: 6
      readinessProbe:
        httpGet: {path: /readyz, port: http}
        periodSeconds: 5
      {{- end }}
      resources: {{- toYaml .resources | nindent 8 }}
      securityContext:
        allowPrivilegeEscalation: false
        readOnlyRootFilesystem: true
        capabilities: {drop: [ALL]}
      volumeMounts:
        - {name: config, mountPath: /etc/flyball, readOnly: true}
        {{- if $v.existingSecret }}
        - {name: secrets, mountPath: /run/secrets/flyball, readOnly: true}
        {{- end }}
  volumes:
    - name: config
      configMap: {name: {{ include "flyball.configMap" .root }}}
    {{- if $v.existingSecret }}
    - name: secrets
      secret: {secretName: {{ $v.existingSecret }}, defaultMode: 288}
    {{- end }}
  topologySpreadConstraints:
    - maxSkew: 1
      topologyKey: kubernetes.io/hostname
      whenUnsatisfiable: ScheduleAnyway
      labelSelector:
        matchLabels:
          {{- include "flyball.selector" .root | nindent 10 }}
          app.kubernetes.io/component: {{ .component }}
  {{- with $v.nodeSelector }}
  nodeSelector: {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with $v.tolerations }}
  tolerations: {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with $v.affinity }}
  affinity: {{- toYaml . | nindent 4 }}
  {{- end }}
{{- end -}}
