// Draws a comparison: variants of a scenario, each with its figures over all seeds and the report of
// its run with the first one. charts.js stands in front of it.
(() => {
  const comparison = data;
  const {variants, first_seed, seeds} = comparison;
  const labels = variants.map((variant) => variant.label);
  const runs = variants.map((variant) => variant.run);

  // -- The head

  at("name").textContent = comparison.scenario;
  at("why").textContent = comparison.why;
  at("run").textContent = [
    `${variants.length} variants`,
    seeds > 1 ? `seeds ${first_seed} to ${first_seed + seeds - 1}, the same for all` : `seed ${first_seed}`,
    `charts show seed ${first_seed}`,
  ].join(" · ");

  // -- Figures

  const key = (n) => make("span", {}, make("i", {class: "swatch", style: `background:${colour(n)}`}), labels[n]);
  const cell = (figure) => {
    if (figure === null) return "-";
    const value = make("span", {}, figure.text + (figure.best ? " *" : ""));
    if (figure.difference) value.append(make("small", {class: figure.verdict}, figure.difference));
    if (figure.doubtful) value.append(make("small", {}, "not significant"));
    return value;
  };
  at("basis").textContent = seeds > 1 ? "means over the seeds with 95 % confidence intervals" : "";
  at("figures").append(table(
      [["", ""], ...labels.map((_, n) => [key(n), "number"])],
      [...comparison.metrics.map((metric, m) => [metric, ...variants.map(({figures}) => cell(figures[m]))]),
       ["expectations", ...variants.map((variant) => variant.expectations)]]));
  at("notes").textContent = comparison.notes;

  // -- Charts

  // Rows of [x, a value of each run]: runs may differ in length and so in where their points are.
  // null is drawn across, for a run without a point there; NaN is not, for one without a value.
  const joined = (each) => {
    const rows = new Map();
    each.forEach((points, n) => points.forEach(([x, y]) => {
      if (!rows.has(x)) rows.set(x, [x, ...runs.map(() => null)]);
      rows.get(x)[n + 1] = y;
    }));
    return [...rows.values()].sort((a, b) => a[0] - b[0]);
  };
  const over_time = (value) => joined(runs.map(({over_time: over}) =>
      over.requests.map((_, n) => [n * over.interval_s, value(over, n)])));
  const colours = labels.map((_, n) => colour(n));
  const overlay = (id, rows, options) =>
      chart(id, labels, rows, {colours, connectSeparatedPoints: true, ...options});

  // What an autoscaler decides is of one run; what the scenario says is of all.
  const happens = (run, {at_s, what}) =>
      run.over_time.events.some((event) => event.at_s === at_s && event.what === what);
  timeline.events = runs[0].over_time.events.filter((event) => runs.every((run) => happens(run, event)));
  for (const quantile of ["p50_ms", "p90_ms", "p99_ms", "p999_ms"]) {
    overlay(quantile, over_time((over, n) => over[quantile][n] || NaN), {logscale: true, show: ms});
  }
  const bad = (over, n) => over.server_error[n] + over.timed_out[n] + over.failed[n];
  if (runs.some((run) => run.over_time.requests.some((_, n) => bad(run.over_time, n) > 0))) {
    overlay("errors", over_time((over, n) => over.requests[n] > 0 ? bad(over, n) / over.requests[n] : NaN),
            {show: percent, includeZero: true});
  } else {
    at("errors").parentElement.remove();
  }
  if (runs.some((run) => has_tail(run.tail))) {
    overlay("tail", joined(runs.map((run) => tail_points(run.tail))), on_log_axis);
  } else {
    at("tail").parentElement.remove();
  }
  synchronize();

  // -- Backends

  const ids = [...new Set(runs.flatMap((run) => Object.keys(run.backends)))];
  const most = Math.max(...runs.flatMap((run) => Object.values(run.backends).map((b) => b.share)));
  for (const id of ids) {
    at("backends").append(make("div", {class: "id"}, id));
    runs.forEach((run, n) => {
      const backend = run.backends[id];
      const share = backend ? backend.share : 0;
      at("backends").append(
          make("div", {}, key(n)),
          make("div", {class: "bar", style: `width:${share / most * 100}%;background:${colour(n)}`}),
          make("div", {class: "value"}, backend ? `${whole(backend.requests)} · ${percent(share)}` : "-"));
    });
  }
})();
