{{/* Where torrents' data is, for apps that read or write it beside qBittorrent. */}}
{{- define "sidecar-lib.dataPath" -}}
{{- $path := .Values.data.mountPath -}}
{{- if include "sidecar-lib.inUmbrella" . -}}{{- $path = .Values.global.downloads.mountPath -}}{{- end -}}
{{- $path -}}
{{- end -}}

{{/* Takes { root, readOnly } and gives mounts, volumes and affinity of an app. */}}
{{- define "sidecar-lib.data" -}}
{{- $root := .root -}}
{{- $data := $root.Values.data -}}
mounts:
  - name: {{ $data.volumeName }}
    mountPath: {{ include "sidecar-lib.dataPath" $root }}
    readOnly: {{ .readOnly }}
    {{- with $data.subPath }}
    subPath: {{ . }}
    {{- end }}
{{- if eq $root.Values.mode "deployment" }}
volumes:
  - name: {{ $data.volumeName }}
    {{- include "sidecar-lib.dataSource" $root | nindent 4 }}
{{- if and (include "sidecar-lib.inUmbrella" $root) (not (has "ReadWriteMany" $root.Values.global.downloads.accessModes)) }}
# A volume of one node is only seen by pods of that node.
affinity:
  podAffinity:
    requiredDuringSchedulingIgnoredDuringExecution:
      - topologyKey: kubernetes.io/hostname
        labelSelector:
          matchLabels:
            {{- include "sidecar-lib.qbittorrentLabels" $root | nindent 12 }}
{{- end }}
{{- end }}
{{- end -}}

{{- define "sidecar-lib.dataSource" -}}
{{- $data := .Values.data -}}
{{- if $data.volume -}}
{{- toYaml $data.volume -}}
{{- else if $data.existingClaim -}}
{{- toYaml (dict "persistentVolumeClaim" (dict "claimName" $data.existingClaim)) -}}
{{- else if include "sidecar-lib.inUmbrella" . -}}
{{- include "sidecar-lib.downloadsSource" . -}}
{{- else -}}
{{- fail (printf "data.existingClaim: which volume has qBittorrent's data? %s reads it in a pod of its own (data.volume takes any other volume)" .Chart.Name) -}}
{{- end -}}
{{- end -}}

{{/* The umbrella's volume for downloads. */}}
{{- define "sidecar-lib.downloadsSource" -}}
{{- $downloads := .Values.global.downloads -}}
{{- if $downloads.volume -}}
{{- toYaml $downloads.volume -}}
{{- else -}}
persistentVolumeClaim:
  claimName: {{ $downloads.existingClaim | default (printf "%s-downloads" (include "sidecar-lib.qbittorrentName" .)) }}
{{- end -}}
{{- end -}}
