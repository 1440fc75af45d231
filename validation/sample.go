package validation

// Rows of a run. Decode steps take half a minute of a processor each.
const (
	quickRows    = 1 // of each regime of a table
	quickSteps   = 1 // of all tables
	quickOffload = 1
	offloadRows  = 4 // of a run that is not quick

	attentionRows = 6 // of each regime of a table
	linearRows    = 3 // the same
	libraryRows   = 8 // the same
	prefillRows   = 6
	promptRows    = 1 // of long prompts
)

// long names the kinds of task that take long, "" all others.
func long(t task) string {
	switch t := t.(type) {
	case step:
		return "steps"
	case offload:
		return "offload"
	case attention:
		return "attention"
	case linear:
		return "linear"
	case libraryAttention:
		return "library attention"
	case prefill:
		if t.Tokens > longPrompt {
			return "long prompts"
		}
		return "prefill"
	}
	return ""
}

// quota returns how many tasks of a kind a run has; of others than the long
// ones, of each regime of a table.
func quota(kind string, quick bool) int {
	const all = 1 << 30
	switch {
	case kind == "offload" && !quick:
		return offloadRows
	case kind == "attention" && !quick:
		return attentionRows
	case kind == "linear" && !quick:
		return linearRows
	case kind == "library attention" && !quick:
		return libraryRows
	case kind == "prefill" && !quick:
		return prefillRows
	case kind == "long prompts" && !quick:
		return promptRows
	case kind == "long prompts":
		return 0
	case !quick:
		return all
	case kind == "offload":
		return quickOffload
	case kind == "steps":
		return quickSteps
	}
	return quickRows
}

// stratum is a set of tasks that a run takes its quota of.
type stratum struct {
	t      *table
	bucket bucket
	kind   string
}

// stratumOf tells tasks apart by table and regime, decode steps by their kind.
func stratumOf(c *comparison) stratum {
	switch kind := long(c.task); kind {
	case "steps", "offload":
		return stratum{kind: kind}
	default:
		return stratum{c.t, c.bucket, kind}
	}
}

// sample returns the rows of a run: those of the tasks that are spread evenly
// over each stratum, as many as its quota. It is the same every time.
func sample(rows []*comparison, quick bool) (chosen []*comparison) {
	tasks := map[stratum][]task{}
	uses := map[task]int{} // comparisons
	for _, c := range rows {
		if uses[c.task]++; uses[c.task] == 1 {
			tasks[stratumOf(c)] = append(tasks[stratumOf(c)], c.task)
		}
	}
	picked := map[task]bool{}
	for s, all := range tasks {
		n := quota(s.kind, quick)
		some := spread(all, n)
		if s.kind == "steps" && quick {
			some = mostUsed(all, uses)
			some = some[:min(n, len(some))] // tables begin with the shortest
		}
		for _, t := range some {
			picked[t] = true
		}
	}
	for _, c := range rows {
		if picked[c.task] {
			chosen = append(chosen, c)
		}
	}
	return chosen
}

// mostUsed returns the tasks that serve the most comparisons: of decode steps
// those whose kernels were measured as well.
func mostUsed(tasks []task, uses map[task]int) (best []task) {
	most := 0
	for _, t := range tasks {
		most = max(most, uses[t])
	}
	for _, t := range tasks {
		if uses[t] == most {
			best = append(best, t)
		}
	}
	return best
}

// spread returns n of the tasks, the middles of n equal parts.
func spread(tasks []task, n int) []task {
	if len(tasks) <= n {
		return tasks
	}
	var out []task
	for i := range n {
		out = append(out, tasks[(2*i+1)*len(tasks)/(2*n)])
	}
	return out
}
