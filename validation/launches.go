package validation

// compileLaunches compares launch costs: µs.
func compileLaunches(t *table) {
	for _, r := range t.rows {
		test := r.word("test", "launch_back_to_back", "launch_sync", "graph_node", "graph_launch_to_end")
		b := launches
		if test == "graph_node" {
			b = graphNodes
		}
		t.time(r, b, launch{test, r.text("param")}, only, r.positive("us")*1e3, r.repeated("us_repeat")*1e3)
	}
}
