// Draws a report: see docs/scenario-format.md for its names. charts.js stands in front of it.
(() => {
  const report = data;
  const over = report.over_time;
  const step = over.interval_s;
  const count = over.requests.length;
  const ids = Object.keys(over.backends);

  // -- The head

  at("name").textContent = report.scenario;
  at("why").textContent = report.why;
  at("run").textContent = [
    `${report.world} ${report.duration_s} s`,
    report.warmup_s > 0 ? `the first ${report.warmup_s} s not counted` : "",
    `seed ${report.seed}`,
    report.digest ? `digest ${report.digest}` : "",
  ].filter(Boolean).join(" · ");

  const total = report.total;
  const tile = (name, value, bad) =>
      make("div", {class: bad ? "tile bad" : "tile"}, make("b", {}, value), make("span", {}, name));
  at("tiles").append(
      tile("requests", whole(total.requests)),
      tile("errors", percent(total.error_ratio), total.error_ratio > 0),
      tile("mean latency", ms(total.latency.mean_ms)), tile("p50", ms(total.latency.p50_ms)),
      tile("p99", ms(total.latency.p99_ms)), tile("p99.9", ms(total.latency.p999_ms)),
      tile("retries", whole(report.balancer.retries)));

  // -- Tables

  if (report.expect.length > 0) {
    const rows = report.expect.map((e) => {
      const name = ["metric", "outcome", "cluster", "load", "backend"].map((key) => e[key]);
      const window = ["from", "after", "to"].map((key) => e[key] ? ` ${key} ${e[key]}` : "").join("");
      const limits = [e.min === undefined ? "" : "≥ " + figure(e.metric, e.min),
                      e.max === undefined ? "" : "≤ " + figure(e.metric, e.max)];
      const verdict = e.not_measured ? make("span", {}, "– not measured")
                    : e.passed ? make("span", {class: "passed"}, "✔ met")
                               : make("span", {class: "missed"}, "✘ " + e.miss);
      return [name.filter(Boolean).join(" ") + (e.window ? " in " + e.window : "") + window, figure(e.metric, e.value),
              limits.filter(Boolean).join(", "), verdict];
    });
    at("expectations").append(make("h2", {}, "Expected"), table(
        [["what", ""], ["value", "number"], ["limit", "number"], ["", ""]], rows));
  }

  at("backends").append(table(
      [["backend", ""], ["answers", "number"], ["share", "number"], ["", ""], ["mean", "number"],
       ["p50", "number"], ["p99", "number"], ["5xx", "number"]],
      Object.entries(report.backends).map(([id, b]) => [
        id, whole(b.requests), percent(b.share),
        make("div", {class: "share", style: `width:${Math.max(b.share * 160, 1)}px`}),
        ms(b.latency.mean_ms), ms(b.latency.p50_ms), ms(b.latency.p99_ms), whole(b.server_error)])));

  // -- Charts

  timeline.events = over.events;
  const over_time = (columns) =>
      Array.from({length: count}, (_, n) => [n * step, ...columns.map((column) => column(n))]);
  const none_for_zero = (values) => (n) => values[n] > 0 ? values[n] : null;
  const rate = (values) => (n) => values[n] / step;

  chart("latency", ["p50", "p90", "p99", "p99.9"],
        over_time([over.p50_ms, over.p90_ms, over.p99_ms, over.p999_ms].map(none_for_zero)),
        {logscale: true, show: ms});
  const endings = [["ok", "ok", "#2e9b6f"], ["server_error", "5xx", "#e0803a"],
                   ["timed_out", "timed out", "#b4519e"], ["failed", "failed", "#c0362c"]];
  chart("requests", endings.map(([, name]) => name),
        over_time(endings.map(([key]) => rate(over[key]))),
        {stackedGraph: true, colours: endings.map(([, , c]) => c)});
  chart("answers", ids, over_time(ids.map((id) => rate(over.backends[id].answers))));
  if (ids.some((id) => over.backends[id].errors.some((n) => n > 0))) {
    chart("errors", ids, over_time(ids.map((id) => rate(over.backends[id].errors))));
  } else {
    at("errors").parentElement.remove();
  }
  const looked = over.queued.length;
  if (looked > 0) {
    const value = (values) => (n) => n < looked ? values[n] : null;
    chart("load", [...ids, "waiting"],
          over_time([...ids.map((id) => value(over.backends[id].in_flight)), value(over.queued)]),
          {colours: [...ids.map((_, n) => colour(n)), "#1d2330"]});
  } else {
    at("load").parentElement.remove();
  }
  if (has_tail(report.tail)) {
    chart("tail", ["slower"], tail_points(report.tail), on_log_axis);
  } else {
    at("tail").parentElement.remove();
  }
  synchronize();

  // -- States

  const tones = {eligible: "#9fd3b8", unhealthy: "#dd6b62", unknown: "#c3c9d4", ejected: "#eba65e",
                 draining: "#b9c4e8", disabled: "#8d96a6", removed: "#e3e7ee",
                 breaker_open: "#d18ac2", at_limit: "#f0d77b", lower_priority: "#d5e6dd"};
  const tone = (state) => tones[state] || "#e3e7ee";
  if (looked > 0) {
    const width = 1000;
    const end = count * step;
    const used = new Set();
    for (const id of ids) {
      const states = over.backends[id].state;
      const lane = svg("svg", {viewBox: `0 0 ${width} 16`, preserveAspectRatio: "none", height: 16});
      for (let first = 0; first < looked;) {
        let last = first;
        while (last + 1 < looked && states[last + 1] === states[first]) ++last;
        const state = states[first];
        if (state !== "") {
          used.add(state);
          lane.append(svg("rect", {x: first * step / end * width, width: (last - first + 1) * step / end * width,
                                   y: 0, height: 16, fill: tone(state)}, svg("title", {}, `${id}: ${state}`)));
        }
        first = last + 1;
      }
      for (const {at_s, what} of over.events) {
        const x = at_s / end * width;
        lane.append(svg("line", {x1: x, x2: x, y1: 0, y2: 16, stroke: "#c0362c", "stroke-width": 1.5,
                                 "vector-effect": "non-scaling-stroke"}, svg("title", {}, what)));
      }
      at("states").append(make("div", {class: "lane"}, make("div", {class: "name", title: id}, id), lane));
    }
    at("states").prepend(make("div", {class: "legend"}, ...[...used].map((state) =>
        make("span", {class: "key"}, make("i", {style: `background:${tone(state)};height:10px`}),
             state.replace("_", " ")))));
  } else {
    at("states").parentElement.remove();
  }
})();
