"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const id = name => document.getElementById(name);
  const count = data.points.length;
  const front = new Set(data.front);
  const mostRows = 200; // of the table of best points

  // A dimension is an axis or an objective: where a point lies on it, from 0 to 1.
  const range = values => values.reduce(([lo, hi], v) => [Math.min(lo, v), Math.max(hi, v)], [Infinity, -Infinity]);
  const scale = ([lo, hi], log) => {
    const f = log ? Math.log : v => v;
    const span = f(hi) - f(lo);
    return { to: v => span ? (f(v) - f(lo)) / span : 0.5, from: s => log ? Math.exp(f(lo) + s * span) : lo + s * span };
  };
  const short = v => {
    if (v === 0) return "0";
    const size = Math.abs(v);
    if (size < 1e-3 || size >= 1e15) return v.toExponential(2);
    for (const [unit, per] of [["T", 1e12], ["G", 1e9], ["M", 1e6], ["k", 1e3]]) {
      if (size >= 0.9995 * per * (unit === "k" ? 100 : 1)) return `${Number((v / per).toPrecision(3))} ${unit}`;
    }
    return size >= 1000 ? v.toFixed(0) : String(Number(v.toPrecision(3)));
  };
  const dimensions = data.axes.map(a => {
    const numbers = a.values.map(Number);
    const even = a.values.length <= 16 || numbers.some(Number.isNaN); // else by their size
    const s = even ? scale([0, a.values.length - 1]) : scale(range(numbers));
    const value = i => even ? a.at[i] : numbers[a.at[i]];
    return {
      name: a.name, at: i => s.to(value(i)), text: i => a.values[a.at[i]],
      label: p => even ? a.values[Math.round(s.from(p))] : short(s.from(p)),
      marks: even ? a.values.map((v, k) => [s.to(k), v]) : [0, 0.5, 1].map(p => [p, short(s.from(p))]),
    };
  }).concat(data.objectives.map(o => {
    const [lo, hi] = range(o.at);
    const log = lo > 0 && hi / lo > 10;
    const s = scale([lo, hi], log);
    return {
      name: o.name + (log ? " (log)" : ""), at: i => s.to(o.at[i]), text: i => short(o.at[i]), label: p => short(s.from(p)),
      marks: [0, 0.25, 0.5, 0.75, 1].map(p => [p, short(s.from(p))]),
    };
  }));
  const objectives = dimensions.slice(data.axes.length);

  let chosen = -1;
  const limits = dimensions.map(() => [0, 1]);
  let kept = [];
  const keep = () => {
    kept = [];
    for (let i = 0; i < count; i++) {
      if (dimensions.every((d, k) => d.at(i) >= limits[k][0] - 1e-9 && d.at(i) <= limits[k][1] + 1e-9)) kept.push(i);
    }
    id("shown").textContent = `${kept.length} of ${count} points are shown; ${kept.filter(i => front.has(i)).length} of them are best.`;
  };

  // Canvases are drawn in CSS pixels, in the colours of style.css.
  const colour = name => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const begin = (canvas, width, height) => {
    const ratio = window.devicePixelRatio || 1;
    canvas.style.height = height + "px";
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(height * ratio);
    const c = canvas.getContext("2d");
    c.scale(ratio, ratio);
    c.font = "12px system-ui, 'DejaVu Sans', sans-serif";
    return c;
  };

  const scatter = id("scatter"), across = id("across"), up = id("up");
  for (const select of [across, up]) {
    objectives.forEach((d, k) => select.add(new Option(d.name, k)));
    dimensions.slice(0, data.axes.length).forEach((d, k) => select.add(new Option(d.name, objectives.length + k)));
  }
  up.value = "0";
  across.value = String(Math.min(1, across.options.length - 1));
  const dimension = select => Number(select.value) < objectives.length ? objectives[select.value] : dimensions[select.value - objectives.length];
  let places = []; // of the points drawn: index, x, y
  const drawScatter = () => {
    const width = scatter.parentElement.clientWidth - 2 * parseFloat(getComputedStyle(scatter.parentElement).paddingLeft);
    const height = Math.min(440, Math.max(280, width * 0.55));
    const c = begin(scatter, width, height);
    const x = dimension(across), y = dimension(up);
    const left = 64, right = width - 16, top = 26, foot = height - 44;
    c.strokeStyle = colour("--grid");
    c.fillStyle = colour("--soft");
    c.textAlign = "center";
    let last = -Infinity;
    for (const [p, text] of x.marks) {
      const at = left + p * (right - left);
      c.beginPath(); c.moveTo(at, top); c.lineTo(at, foot); c.stroke();
      if (at - last > 46) { c.fillText(text, Math.min(at, right - 10), foot + 16); last = at; }
    }
    c.textAlign = "right";
    last = Infinity;
    for (const [p, text] of y.marks) {
      const at = foot - p * (foot - top);
      c.beginPath(); c.moveTo(left, at); c.lineTo(right, at); c.stroke();
      if (last - at > 14) { c.fillText(text, left - 6, at + 4); last = at; }
    }
    c.fillStyle = colour("--ink");
    c.textAlign = "center";
    c.fillText(x.name, (left + right) / 2, height - 8);
    c.textAlign = "left";
    c.fillText(y.name, 4, 14);
    places = kept.map(i => [i, left + x.at(i) * (right - left), foot - y.at(i) * (foot - top)]);
    const dots = (some, radius, fill) => {
      c.fillStyle = fill;
      c.beginPath();
      for (const [, px, py] of some) { c.moveTo(px + radius, py); c.arc(px, py, radius, 0, 7); }
      c.fill();
    };
    c.globalAlpha = 0.6;
    dots(places.filter(p => !front.has(p[0])), 2.5, colour("--soft"));
    c.globalAlpha = 1;
    dots(places.filter(p => front.has(p[0])), 5, colour("--mark"));
    const one = places.find(p => p[0] === chosen);
    if (one) {
      scatter.dataset.chosen = `${one[1]} ${one[2]}`; // CSS pixels from its corner
      c.strokeStyle = colour("--ink");
      c.lineWidth = 2;
      c.beginPath(); c.arc(one[1], one[2], 9, 0, 7); c.stroke();
      c.lineWidth = 1;
    }
    scatter.dataset.points = places.length;
  };

  const parallel = id("parallel");
  const drawParallel = () => {
    const room = parallel.parentElement.clientWidth;
    const width = Math.max(room, dimensions.length * 90);
    parallel.style.width = width + "px";
    const height = 320, top = 40, foot = height - 16, left = 46, right = width - 46;
    const c = begin(parallel, width, height);
    const x = k => left + (dimensions.length > 1 ? k / (dimensions.length - 1) : 0.5) * (right - left);
    const lines = (some, stroke, alpha, thickness) => {
      c.strokeStyle = stroke;
      c.globalAlpha = alpha;
      c.lineWidth = thickness;
      c.beginPath();
      for (const i of some) dimensions.forEach((d, k) => c[k ? "lineTo" : "moveTo"](x(k), foot - d.at(i) * (foot - top)));
      c.stroke();
      c.globalAlpha = c.lineWidth = 1;
    };
    lines(kept.filter(i => !front.has(i)), colour("--soft"), Math.max(0.05, Math.min(0.5, 60 / kept.length)), 1);
    lines(kept.filter(i => front.has(i)), colour("--mark"), 0.6, 1.5);
    if (chosen >= 0) lines([chosen], colour("--warm"), 1, 3.5);
    c.textAlign = "center";
    dimensions.forEach((d, k) => {
      c.strokeStyle = colour("--soft");
      c.beginPath(); c.moveTo(x(k), top); c.lineTo(x(k), foot); c.stroke();
      c.fillStyle = colour("--ink");
      const end = k === 0 ? -1 : k === dimensions.length - 1 ? 1 : 0; // names at the ends stay inside
      c.textAlign = ["left", "center", "right"][end + 1];
      c.fillText(d.name.length > 16 ? d.name.slice(0, 15) + "…" : d.name, x(k) + 44 * end, 14 + 12 * (k % 2));
      c.textAlign = "center";
      let last = Infinity;
      for (const [p, text] of d.marks) {
        const at = foot - p * (foot - top);
        if (last - at < 13) continue;
        last = at;
        const wide = c.measureText(text).width;
        c.globalAlpha = 0.8;
        c.fillStyle = colour("--panel");
        c.fillRect(x(k) - wide / 2 - 2, at - 7, wide + 4, 13);
        c.globalAlpha = 1;
        c.fillStyle = colour("--ink");
        c.fillText(text, x(k), at + 4);
      }
    });
    parallel.dataset.lines = kept.length;
  };
  const draw = () => { drawScatter(); drawParallel(); };

  const cell = (row, tag, text, scope) => {
    const e = document.createElement(tag);
    e.textContent = text;
    if (scope) e.scope = scope;
    row.append(e);
    return e;
  };
  const choose = (i, scroll) => {
    chosen = i;
    id("point-title").textContent = `Point ${data.points[i]}${front.has(i) ? ", one of the best" : ""}`;
    const table = document.createElement("table");
    for (const d of dimensions) {
      const row = table.insertRow();
      cell(row, "th", d.name, "row");
      cell(row, "td", d.text(i));
    }
    id("point-figures").replaceChildren(table);
    id("command").textContent = `${data.command} ${data.points[i]}`;
    id("point-run").hidden = false;
    history.replaceState(null, "", `#point-${data.points[i]}`);
    draw();
    if (scroll) id("point").scrollIntoView({ block: "nearest" });
  };
  id("copy").addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(id("command").textContent);
      id("copy").textContent = "Copied";
    } catch {
      getSelection().selectAllChildren(id("command")); // to be copied by hand
    }
  });

  // Best points in the order of what is across, for the buttons and arrow keys.
  const step = by => {
    const order = kept.filter(i => front.has(i)).sort((a, b) => dimension(across).at(a) - dimension(across).at(b) || a - b);
    if (!order.length) return;
    const at = order.indexOf(chosen);
    choose(order[at < 0 ? (by > 0 ? 0 : order.length - 1) : (at + by + order.length) % order.length]);
  };
  id("before").addEventListener("click", () => step(-1));
  id("after").addEventListener("click", () => step(1));

  const tip = id("tip");
  const nearest = event => {
    const box = scatter.getBoundingClientRect();
    const px = event.clientX - box.left, py = event.clientY - box.top;
    let best = -1, least = 14 * 14;
    for (const [i, x, y] of places) {
      const d = (x - px) ** 2 + (y - py) ** 2 - (front.has(i) ? 9 : 0); // of two at one place the best
      if (d < least) { least = d; best = i; }
    }
    return best;
  };
  scatter.addEventListener("pointermove", event => {
    const i = nearest(event);
    tip.hidden = i < 0;
    scatter.style.cursor = i < 0 ? "" : "pointer";
    if (i < 0) return;
    tip.textContent = `point ${data.points[i]}\n` + dimensions.map(d => `${d.name}: ${d.text(i)}`).join("\n");
    tip.style.left = Math.max(8, Math.min(event.clientX + 14, innerWidth - tip.offsetWidth - 8)) + "px";
    tip.style.top = Math.max(8, Math.min(event.clientY + 14, innerHeight - tip.offsetHeight - 8)) + "px";
  });
  scatter.addEventListener("pointerleave", () => { tip.hidden = true; });
  scatter.addEventListener("click", event => {
    const i = nearest(event);
    if (i >= 0) choose(i, true);
  });

  // Limits: two sliders for each dimension.
  dimensions.forEach((d, k) => {
    const group = document.createElement("fieldset");
    const legend = document.createElement("legend");
    group.append(legend);
    const sliders = ["at least", "at most"].map((word, end) => {
      const s = document.createElement("input");
      Object.assign(s, { type: "range", min: 0, max: 1, step: d.marks.length > 1 && d.marks.length <= 16 && k < data.axes.length ? 1 / (d.marks.length - 1) : 0.01, value: end });
      s.setAttribute("aria-label", `${d.name} ${word}`);
      s.addEventListener("input", () => { limits[k][end] = Number(s.value); tell(); keep(); draw(); });
      group.append(s);
      return s;
    });
    const tell = () => {
      legend.textContent = `${d.name}: ${d.label(limits[k][0])} to ${d.label(limits[k][1])}`;
      sliders.forEach((s, end) => s.setAttribute("aria-valuetext", d.label(limits[k][end])));
    };
    tell();
    id("all").addEventListener("click", () => {
      limits[k] = [0, 1];
      sliders.forEach((s, end) => { s.value = end; });
      tell(); keep(); draw();
    });
    id("limits").append(group);
  });

  const head = id("front").createTHead().insertRow();
  cell(head, "th", "point", "col");
  [...objectives, ...dimensions.slice(0, data.axes.length)].forEach(d => cell(head, "th", d.name, "col"));
  const body = id("front").createTBody();
  for (const i of data.front.slice(0, mostRows)) {
    const row = body.insertRow();
    const open = document.createElement("button");
    open.type = "button";
    open.textContent = data.points[i];
    open.setAttribute("aria-label", `show point ${data.points[i]}`);
    open.addEventListener("click", () => choose(i, true));
    cell(row, "th", "", "row").append(open);
    [...objectives, ...dimensions.slice(0, data.axes.length)].forEach(d => cell(row, "td", d.text(i)));
  }
  if (data.front.length > mostRows) id("more").textContent = `and ${data.front.length - mostRows} more`;

  across.addEventListener("change", drawScatter);
  up.addEventListener("change", drawScatter);
  addEventListener("resize", draw);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
  matchMedia("print").addEventListener("change", draw);
  keep();
  const asked = data.points.indexOf(Number(location.hash.replace("#point-", "") || NaN));
  if (asked >= 0) choose(asked, true);
  draw();
})();
