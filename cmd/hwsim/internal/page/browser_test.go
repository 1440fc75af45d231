package page

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	cdp "github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/stretchr/testify/require"

	"hwsim/validation"
	"hwsim/workloads/offload"
	"hwsim/workloads/program"
)

var screenshots = flag.String("screenshots", "", "folder for pictures of the pages")

// The widths of a phone and of a desk, in CSS pixels.
const (
	phone = 360
	desk  = 1280
)

// tab is a page that is open in a browser.
type tab struct {
	t   *testing.T
	ctx context.Context

	mu       sync.Mutex
	problems []string // errors on the console, and requests for other files
}

func (b *tab) seen() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.problems
}

// chromium is a headless browser for all tests, nil where there is none. The process
// ends with the tests.
var chromium = sync.OnceValue(func() context.Context {
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true))
			ctx, _ := chromedp.NewExecAllocator(context.Background(), options...)
			ctx, closeBrowser = chromedp.NewContext(ctx)
			return ctx
		}
	}
	return nil
})

var closeBrowser = func() {}

func TestMain(m *testing.M) {
	code := m.Run()
	closeBrowser()
	os.Exit(code)
}

// open shows a page, from its file. Without a browser the test is skipped, but not in CI.
func open(t *testing.T, html string) *tab {
	t.Helper()
	switch parent := chromium(); {
	case parent != nil:
	case os.Getenv("CI") == "true":
		t.Fatal("no chromium")
	default:
		t.Skip("no chromium")
	}
	require.NoError(t, chromedp.Do(chromium())) // starts it
	path := filepath.Join(t.TempDir(), "report.html")
	require.NoError(t, os.WriteFile(path, []byte(html), 0o666))
	ctx, stop := chromedp.NewContext(chromium())
	t.Cleanup(stop)
	b := &tab{t: t, ctx: ctx}
	require.NoError(t, chromedp.Listen(ctx, b.watch))
	b.do(chromedp.EmulateViewport(desk, 900), chromedp.Navigate("file://"+path))
	t.Cleanup(func() { require.Empty(t, b.seen()) })
	return b
}

func (b *tab) watch(event any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch e := event.(type) {
	case *log.EventEntryAdded:
		b.problems = append(b.problems, e.Entry.Text)
	case *cdp.EventConsoleAPICalled:
		b.problems = append(b.problems, "console: "+string(e.Type))
	case *cdp.EventExceptionThrown:
		b.problems = append(b.problems, e.ExceptionDetails.Text)
	case *network.EventRequestWillBeSent:
		if url := e.Request.URL; !strings.HasPrefix(url, "file://") && !strings.HasPrefix(url, "data:") {
			b.problems = append(b.problems, "request for "+url)
		}
	}
}

func (b *tab) do(actions ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	require.NoError(b.t, chromedp.Do(b.ctx, actions...))
}

// value evaluates JavaScript into a T.
func value[T any](b *tab, script string) T {
	b.t.Helper()
	v, err := chromedp.Run(b.ctx, chromedp.Evaluate[T](script))
	require.NoError(b.t, err, script)
	return v
}

// show sets the width, the medium and the colours that are preferred, and keeps a
// picture if one is asked for.
func (b *tab) show(width int64, medium, scheme string) {
	b.t.Helper()
	b.do(chromedp.EmulateViewport(width, 900))
	_, err := chromedp.Call(b.ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Media: medium, Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}})
	require.NoError(b.t, err)
	if *screenshots == "" {
		return
	}
	picture, err := chromedp.Run(b.ctx, chromedp.FullScreenshot(100))
	require.NoError(b.t, err)
	name := fmt.Sprintf("%s_%d_%s_%s.png", b.t.Name(), width, medium, scheme)
	require.NoError(b.t, os.WriteFile(filepath.Join(*screenshots, name), picture, 0o666))
}

// wellFormed holds what every page promises.
func (b *tab) wellFormed() {
	t := b.t
	t.Helper()
	grounds := map[string]bool{}
	for _, width := range []int64{desk, phone} {
		for _, scheme := range []string{"light", "dark"} {
			b.show(width, "screen", scheme)
			require.LessOrEqual(t, value[int](b, "document.documentElement.scrollWidth"), int(width), "the page is wider than its window")
			grounds[value[string](b, "getComputedStyle(document.documentElement).backgroundColor")] = true
		}
	}
	require.Len(t, grounds, 2, "dark and light")
	b.show(desk, "print", "dark")
	require.Equal(t, "rgb(255, 255, 255)", value[string](b, "getComputedStyle(document.documentElement).backgroundColor"), "paper is white")
	require.Zero(t, value[int](b, `[...document.querySelectorAll("nav, button")].filter(e => !e.closest("td, th") && e.checkVisibility()).length`), "controls on paper")
	b.show(desk, "screen", "light")

	require.Equal(t, 1, value[int](b, `document.querySelectorAll("h1").length`))
	require.True(t, value[bool](b, `[...document.querySelectorAll("h1,h2,h3")].every((h, i, all) => i === 0 || h.tagName[1] <= Number(all[i-1].tagName[1]) + 1)`), "a level of headings is skipped")
	for _, rule := range []string{"main", "header", "footer", "nav[aria-label]", "html[lang]", "meta[name=viewport]"} {
		require.Equal(t, 1, value[int](b, "document.querySelectorAll("+fmt.Sprintf("%q", rule)+").length"), rule)
	}
	require.Zero(t, value[int](b, `[...document.querySelectorAll("svg, canvas")].filter(e => !e.closest("[role=img][aria-label]")).length`), "a picture without words")
	require.Zero(t, value[int](b, `document.querySelectorAll("th:not([scope])").length`))
	require.Zero(t, value[int](b, `[...document.querySelectorAll("nav a, a.skip")].filter(a => !document.querySelector(a.getAttribute("href"))).length`), "a link to nowhere")
	require.Zero(t, value[int](b, `(ids => ids.length - new Set(ids).size)([...document.querySelectorAll("[id]")].map(e => e.id))`), "an id twice")

	b.do(chromedp.KeyEvent(kb.Tab))
	require.Equal(t, "skip", value[string](b, "document.activeElement.className"))
	b.do(chromedp.KeyEvent(kb.Enter))
	require.Equal(t, "main", value[string](b, "document.activeElement.id"))
	b.do(chromedp.KeyEvent(kb.Tab))
	require.True(t, value[bool](b, `document.activeElement.matches("main *")`), "the next stop lies in the content")
	require.True(t, value[bool](b, `getComputedStyle(document.activeElement).outlineStyle !== "none"`), "the focus is visible")
}

func TestStepPageInABrowser(t *testing.T) {
	r := simulate(t, "sampled", 0, append(tiers, "model.layers=24")...)
	b := open(t, write(t, r))
	b.wellFormed()
	require.Equal(t, []string{"parts", "kernels", "roofline", "memories", "time", "latencies", "banks", "placement", "energy", "measured"}, value[[]string](b, `[...document.querySelectorAll("main > section")].map(s => s.id)`))
	require.Len(t, r.Kernels, value[int](b, `document.querySelectorAll("#roofline g.kernel").length`))
	require.Len(t, comparisons(), value[int](b, `document.querySelectorAll("#measured svg .point").length`))
	require.True(t, value[bool](b, `[...document.querySelectorAll("#kernels .bars")].pop().querySelectorAll(".track").length === `+fmt.Sprint(len(r.Kernels))))
	require.True(t, value[bool](b, `[...[...document.querySelectorAll("#kernels .bars")].pop().querySelectorAll(".track")].every(t => Math.abs(t.clientWidth - [...t.children].reduce((s, c) => s + c.getBoundingClientRect().width, 0)) < 2)`), "shares fill the width")
	require.Equal(t, 3, value[int](b, `[...document.querySelectorAll("#banks figcaption")].filter(c => c.textContent.includes("row hits")).length`), "hbm, ddr and cxl")
	b.do(chromedp.Focus("#roofline summary"), chromedp.KeyEvent(kb.Enter))
	require.True(t, value[bool](b, `document.querySelector("#roofline details").open`))
}

func TestAnalyticPageInABrowser(t *testing.T) {
	b := open(t, write(t, simulate(t, "analytic", 1, tiers...)))
	b.wellFormed()
	require.Equal(t, []string{"parts", "placement", "energy", "measured"}, value[[]string](b, `[...document.querySelectorAll("main > section")].map(s => s.id)`))
}

// sample reads a result that package report keeps.
func sample[R any](t *testing.T, name string) *R {
	text, err := os.ReadFile("../report/testdata/" + name)
	require.NoError(t, err)
	var r R
	require.NoError(t, json.Unmarshal(text, &r))
	return &r
}

func TestProgramAndOffloadPagesInABrowser(t *testing.T) {
	var out bytes.Buffer
	require.NoError(t, Program(&out, sample[program.Result](t, "program.json")))
	open(t, out.String()).wellFormed()
	for _, name := range []string{"offload.json", "instorage.json"} {
		out.Reset()
		require.NoError(t, Offload(&out, sample[offload.Result](t, name)))
		open(t, out.String()).wellFormed()
	}
}

func TestValidationPageInABrowser(t *testing.T) {
	text, err := os.ReadFile("../../../../.ci/quick.json")
	require.NoError(t, err)
	var r validation.Report
	require.NoError(t, json.Unmarshal(text, &r))
	var out bytes.Buffer
	require.NoError(t, Validation(&out, &r))
	b := open(t, out.String())
	b.wellFormed()
	require.Len(t, r.Rows, value[int](b, `document.querySelectorAll("#measured svg .point").length`))
	require.Len(t, r.Tables, value[int](b, `document.querySelectorAll("#regimes tbody tr").length`))
}

func TestSweepPageInABrowser(t *testing.T) {
	a := fakeSweep(500)
	var out bytes.Buffer
	require.NoError(t, Sweep(&out, a, "hwsim -config c -point"))
	b := open(t, out.String())
	b.wellFormed()
	require.Equal(t, "500", value[string](b, `document.getElementById("scatter").dataset.points`))
	require.Equal(t, "500", value[string](b, `document.getElementById("parallel").dataset.lines`))
	require.Equal(t, len(a.Front), value[int](b, `document.querySelectorAll("#front button").length`))

	// A button, by keyboard.
	b.do(chromedp.Focus("#after"), chromedp.KeyEvent(kb.Enter))
	require.Regexp(t, `^Point \d+, one of the best$`, value[string](b, `document.getElementById("point-title").textContent`))
	require.Regexp(t, `^hwsim -config c -point \d+$`, value[string](b, `document.getElementById("command").textContent`))
	require.Regexp(t, `^#point-\d+$`, value[string](b, `location.hash`))
	b.show(desk, "screen", "dark")

	// A dot, by pointer: that of the first best point, while another is chosen.
	b.do(chromedp.Focus("#front button"), chromedp.KeyEvent(kb.Enter))
	first := value[string](b, `document.getElementById("point-title").textContent`)
	at := value[[]float64](b, `(() => {
		const s = document.getElementById("scatter"), [x, y] = s.dataset.chosen.split(" ").map(Number);
		document.getElementById("after").click();
		s.scrollIntoView({block: "center"});
		return [s.getBoundingClientRect().left + x, s.getBoundingClientRect().top + y];
	})()`)
	require.NotEqual(t, first, value[string](b, `document.getElementById("point-title").textContent`))
	b.do(chromedp.MouseEvent("mouseMoved", at[0], at[1]))
	require.False(t, value[bool](b, `document.getElementById("tip").hidden`))
	require.Contains(t, strings.ToLower(first), value[string](b, `document.getElementById("tip").textContent.split("\n")[0]`))
	b.do(chromedp.MouseClickXY(at[0], at[1]))
	require.Equal(t, first, value[string](b, `document.getElementById("point-title").textContent`))

	// Limits, by keyboard.
	value[bool](b, `document.querySelector("details:has(#limits)").open = true`)
	b.do(chromedp.Focus("#limits input"))
	b.do(chromedp.KeyEvent(kb.ArrowRight))
	require.Less(t, value[int](b, `Number(document.getElementById("scatter").dataset.points)`), 500)
	b.do(chromedp.Click("#all"))
	require.Equal(t, "500", value[string](b, `document.getElementById("scatter").dataset.points`))
}
