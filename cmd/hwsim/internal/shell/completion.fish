{{- $p := .}}{{$first := index .Commands 0}}
{{- $named := join .Names " "}}
{{- range .Commands}}
complete -c {{$p.Name}} -n __fish_use_subcommand -a {{quote .Name}} -d {{quote .Summary}}
{{- end}}
{{- range $c := .Commands}}
{{- $here := print "__fish_seen_subcommand_from " .Name}}
{{- if eq .Name $first.Name}}{{$here = print $here "; or not __fish_seen_subcommand_from " $named}}{{end}}
{{- if .Words}}
complete -c {{$p.Name}} -n {{quote $here}} -a {{quote (join .Words " ")}}
{{- end}}
{{- if .Ask}}
complete -c {{$p.Name}} -n {{quote $here}} -a '({{.Ask}} 2>/dev/null)'
{{- end}}
{{- range .Flags}}
complete -c {{$p.Name}} -n {{quote $here}} -o {{quote .Name}}{{if .Values}} -x -a {{quote (join .Values " ")}}{{else if not .Alone}} -r{{end}}
{{- end}}
{{- end}}
