_{{.Name}}() {
  local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} command={{(index .Commands 0).Name}} words=
  if [ "$COMP_CWORD" -gt 1 ]; then
    case ${COMP_WORDS[1]} in
      {{join .Names "|"}}) command=${COMP_WORDS[1]} ;;
    esac
  fi
  case $command:$prev in
{{- range $c := .Commands}}{{range .Flags}}
{{- if .Values}}
    {{$c.Name}}:-{{.Name}}) words={{quote (join .Values " ")}} ;;
{{- else if not .Alone}}
    {{$c.Name}}:-{{.Name}}) ;;
{{- end}}{{end}}{{end}}
    *)
      case $command in
{{- range .Commands}}
        {{.Name}}) words={{quote (join .Dashed " ")}}' '{{quote (join .Words " ")}}{{if .Ask}}" $({{.Ask}} 2>/dev/null)"{{end}} ;;
{{- end}}
      esac
      if [ "$COMP_CWORD" = 1 ]; then
        words="$words {{join .Names " "}}"
      fi ;;
  esac
  COMPREPLY=($(compgen -W "$words" -- "$cur"))
}
complete -o default -F _{{.Name}} {{.Name}}
