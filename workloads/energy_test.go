package workloads

import (
	"testing"

	"github.com/stretchr/testify/require"

	"hwsim/hierarchy"
)

// part returns what a component takes for something, 0 if it has no such part.
func (e *Energy) part(component, of string) (j float64) {
	for _, p := range e.Parts {
		if p.Component == component && p.Of == of {
			j += p.J
		}
	}
	return j
}

func TestEnergyIsTheSumOfItsParts(t *testing.T) {
	eachScenario(t, func(t *testing.T, r *run, res *Result) {
		e, tokens := res.Energy, r.decode.tokens()
		require.NotNil(t, e)
		sum, bands := 0.0, 0.0
		for _, p := range e.Parts {
			require.Positive(t, p.J, "%s %s", p.Component, p.Of)
			require.Positive(t, p.Band, "%s %s", p.Component, p.Of)
			require.LessOrEqual(t, p.Band, 1.01*p.J, "%s %s", p.Component, p.Of)
			sum, bands = sum+p.J, bands+p.Band
		}
		require.InEpsilon(t, sum, e.StepJ, 1e-12)
		require.InEpsilon(t, sum/tokens, e.JoulesPerToken, 1e-12)
		require.InEpsilon(t, bands/tokens, e.Band, 1e-12)
		require.InEpsilon(t, sum/(res.StepNs*1e-9), e.Watts, 1e-12)
	})
}

// What is at rest draws its power for the step's time, whatever the step does.
func TestRestIsPowerTimesTime(t *testing.T) {
	eachScenario(t, func(t *testing.T, r *run, res *Result) {
		c, machines, s := r.system.Config, float64(max(1, r.config.Workload.TP)), res.StepNs*1e-9
		require.InEpsilon(t, c.GPU.Energy.StaticW*s*machines, res.Energy.part("gpu", "rest"), 1e-12)
		if r.system.Space.Used(hierarchy.DDR) > 0 {
			m := c.Host.DDR
			require.InEpsilon(t, m.Energy.StaticPerGiB/1e3*m.CapacityGiB*s*machines, res.Energy.part("ddr", "rest"), 1e-12)
		}
	})
}

// The bits that a memory is charged for are the bytes that its row of the report
// has moved, and the DRAM's commands are the row's energy.
func TestEnergyOfBitsIsThatOfTheReportsBytes(t *testing.T) {
	eachScenario(t, func(t *testing.T, r *run, res *Result) {
		machines := float64(max(1, r.config.Workload.TP))
		for i, id := range tiersOf(&r.system.Space) {
			row, m := res.Tiers[i], r.system.Card(id)
			want := 8e-12 * (float64(row.Read)*m.ReadPJPerBit + float64(row.Written)*m.WritePJPerBit + float64(row.Read+row.Written)*m.IOPJPerBit)
			require.InDelta(t, want*machines, res.Energy.part(row.Tier, "bits"), 1e-6*want+1e-9, row.Tier)
			commands := res.Energy.part(row.Tier, "rows") + res.Energy.part(row.Tier, "bits") + res.Energy.part(row.Tier, "refreshes")
			if id != hierarchy.PeerHBM { // whose refreshes are the peer's
				require.InDelta(t, row.EnergyPJ*1e-12*machines, commands, 1e-9*commands, row.Tier)
			}
		}
	})
}

func TestEnergyRisesWithBytes(t *testing.T) {
	short, long := simulate(t, "exact", "workload.context=512").Energy, simulate(t, "exact", "workload.context=2048").Energy
	for _, p := range short.Parts {
		require.Greater(t, long.part(p.Component, p.Of), p.J, "%s %s", p.Component, p.Of)
	}
}

// Rows are opened at least as often as an analytic run says; bytes are the
// roofline's, of which the L2 may keep some.
func TestAnalyticCommandsAreALowerBound(t *testing.T) {
	for _, sets := range [][]string{{"workload.context=2048"}, with(halfDDR, prefetch)} {
		least, counted := simulate(t, "analytic", sets...).Energy, simulate(t, "exact", sets...).Energy
		require.Equal(t, leastCommands, least.Commands)
		require.Equal(t, countedCommands, counted.Commands)
		require.InEpsilon(t, counted.part("sms", "compute"), least.part("sms", "compute"), 1e-12)
		for _, p := range least.Parts {
			if p.Of != "access" { // of the L2: its own rereads are not among bytes that must move
				require.LessOrEqual(t, p.J, 1.05*counted.part(p.Component, p.Of), "%s %s", p.Component, p.Of)
			}
		}
	}
}

// A sampled run extrapolates commands as it does bytes.
func TestSampledEnergyIsTheExactRuns(t *testing.T) {
	sets := []string{"model.layers=24", "workload.context=1024"}
	sampled, exact := simulate(t, "sampled", sets...), simulate(t, "exact", sets...)
	require.InEpsilon(t, exact.Energy.JoulesPerToken, sampled.Energy.JoulesPerToken, 0.03)
	require.InEpsilon(t, exact.Energy.part("hbm", "rows"), sampled.Energy.part("hbm", "rows"), 0.05)
	require.InEpsilon(t, exact.Energy.part("hbm", "refreshes"), sampled.Energy.part("hbm", "refreshes"), 0.05)
}

// Both of two GPUs that share a model take energy and cost money.
func TestEnergyAndCostAreOfAllGPUs(t *testing.T) {
	r := begin(t, "exact", "workload.tp=2")
	res := finish(t, r)
	require.InEpsilon(t, 2*r.system.Config.GPU.Energy.StaticW*res.StepNs*1e-9, res.Energy.part("gpu", "rest"), 1e-12)
	require.Equal(t, 2*r.system.Config.GPU.Price.USD, res.Cost.Parts[0].USD)
	for _, p := range res.Cost.Parts {
		require.NotEqual(t, "peer", p.Part, "it is one of the two")
	}
}

func TestCostIsTheSumOfItsParts(t *testing.T) {
	eachScenario(t, func(t *testing.T, r *run, res *Result) {
		c, terms := res.Cost, r.system.Config.Cost
		require.NotNil(t, c)
		sum, usd := 0.0, 0.0
		for _, p := range c.Parts {
			sum, usd = sum+p.PerMToken, usd+p.USD
			if p.Part != "electricity" {
				busySeconds := terms.LifetimeYears * 365.25 * 86400 * terms.Busy
				require.InEpsilon(t, p.USD*res.StepNs*1e-9/busySeconds/r.decode.tokens()*1e6, p.PerMToken, 1e-9, p.Part)
			}
		}
		require.InEpsilon(t, sum, c.DollarsPerMToken, 1e-12)
		require.InEpsilon(t, usd, c.MachineUSD, 1e-12)
	})
}

// A machine without cards has neither.
func TestWithoutCardsThereIsNeitherEnergyNorCost(t *testing.T) {
	r := begin(t, "analytic")
	r.config.System.GPU.Energy = nil
	res, err := r.analytic()
	require.NoError(t, err)
	require.Nil(t, res.Energy)
	require.Nil(t, res.Cost)
	r.config.System.GPU.Energy, r.config.System.Cost = load(t).System.GPU.Energy, nil
	res, err = r.analytic()
	require.NoError(t, err)
	require.NotNil(t, res.Energy)
	require.Nil(t, res.Cost)
}
