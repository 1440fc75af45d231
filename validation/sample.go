package validation

// quotas are how many tasks of each kind that takes long a run has that is not
// of all rows, and a quick one: of steps and offloads from all tables, of the
// others from each regime of a table. A decode step takes half a minute of a
// processor.
var quotas = map[string]struct{ usual, quick int }{
	"steps":             {all, 1},
	"offload":           {4, 1},
	"attention":         {6, 1},
	"linear":            {3, 1},
	"library attention": {8, 1},
	"latent attention":  {8, 1},
	"prefill":           {6, 1},
	"long prompts":      {1, 0},
	"":                  {all, 1},
}

const all = 1 << 30

// kindOf names the kinds of task that take long, "" all others.
func kindOf(t task) string {
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
	case latentAttention:
		return "latent attention"
	case prefill:
		if t.Tokens > longPrompt {
			return "long prompts"
		}
		return "prefill"
	}
	return ""
}

// quota returns how many tasks of a kind a run has.
func quota(kind string, quick bool) int {
	if quick {
		return quotas[kind].quick
	}
	return quotas[kind].usual
}

// stratum is a set of tasks that a run takes its quota of.
type stratum struct {
	t      *table
	bucket bucket
	kind   string
}

// stratumOf tells tasks apart by table and regime, decode steps by their kind.
func stratumOf(c *comparison) stratum {
	switch kind := kindOf(c.task); kind {
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
	for s, found := range tasks {
		n := quota(s.kind, quick)
		some := spread(found, n)
		if s.kind == "steps" && quick {
			some = mostUsed(found, uses)
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
