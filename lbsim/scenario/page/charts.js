// What pages are drawn with: words, tables and charts. Each page has a script of its own behind this
// one.

const palette = ["#2f6fdf", "#e0803a", "#2e9b6f", "#b4519e", "#8a8f2d", "#4ba3c3", "#c94f5d",
                 "#6b5fc7", "#957250", "#5d6b7a"];
const colour = (n) => palette[n % palette.length];

const make = (tag, attributes = {}, ...children) => {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
};
const svg = (tag, attributes, ...children) => {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
};
const at = (id) => document.getElementById(id);

// -- How figures look

const whole = (value) => Math.round(value).toLocaleString("en-US");
const ms = (value) => {
  if (value >= 10000) return (value / 1000).toFixed(1) + " s";
  return (value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2)) + " ms";
};
const percent = (ratio) => (ratio * 100).toFixed(ratio > 0 && ratio < 0.001 ? 4 : 2) + " %";
const plain = (value) => value >= 100 ? whole(value) : String(+value.toPrecision(3));
const isDuration = (metric) => /^(latency|time_to|recovery_time)/.test(metric);
const figure = (metric, value) => value === null ? "–"
    : isDuration(metric) ? ms(value * 1000) : plain(value);

// -- Tables

const table = (names, rows) => {
  const head = make("tr", {}, ...names.map(([name, kind]) => make("th", {class: kind}, name)));
  return make("table", {}, head, ...rows.map((cells) => make("tr", {}, ...cells.map((cell, n) =>
      cell instanceof Node ? make("td", {class: names[n][1]}, cell)
                           : make("td", {class: names[n][1]}, cell)))));
};

// -- Charts

// The events that charts over time mark, and those charts: moving in one moves all.
const timeline = {events: [], graphs: []};
const synchronize = () => {
  if (timeline.graphs.length < 2) return;
  Dygraph.synchronize(timeline.graphs, {range: false, selection: false});
};

const marked = (canvas, area, graph) => {
  canvas.save();
  canvas.strokeStyle = "rgba(192, 54, 44, 0.55)";
  canvas.fillStyle = "rgba(192, 54, 44, 0.9)";
  canvas.font = "11px system-ui, sans-serif";
  canvas.setLineDash([4, 3]);
  let free = -1;
  for (const {at_s, what} of timeline.events) {
    const x = graph.toDomXCoord(at_s);
    if (x < area.x || x > area.x + area.w) continue;
    canvas.beginPath();
    canvas.moveTo(x, area.y);
    canvas.lineTo(x, area.y + area.h);
    canvas.stroke();
    if (x < free) continue;  // Its label would lie over the one before.
    const width = canvas.measureText(what).width;
    const left = Math.min(x + 4, area.x + area.w - width);
    canvas.fillText(what, left, area.y + 11);
    free = left + width + 8;
  }
  canvas.restore();
};

const seconds = (value) => plain(value) + " s";
// A line for each name over rows of [x, value, …]; null or NaN for none. `onTime`: x is time of the run.
const chart = (id, names, rows, options = {}) => {
  const legend = make("div", {class: "legend"});
  const plot = make("div", {class: "plot"});
  at(id).append(legend, plot);
  const show = options.show || plain;
  const shown = (row) => {
    const head = row === undefined ? [] : [make("span", {class: "key"}, (options.showX || seconds)(row[0]))];
    legend.replaceChildren(...head, ...names.map((name, n) => {
      const key = make("span", {class: "key"}, make("i", {style: `background:${(options.colours || palette)[n % palette.length]}`}), name);
      if (row !== undefined && Number.isFinite(row[n + 1])) key.append(" " + show(row[n + 1]));
      return key;
    }));
  };
  shown();
  const {show: _, showX: __, colours, onTime = true, axes = {}, ...more} = options;
  const graph = new Dygraph(plot, rows, {
    labels: ["x", ...names], colors: (colours || palette).slice(0, Math.max(names.length, 1)).concat(
        names.slice(palette.length).map((_, n) => colour(n + palette.length))),
    legend: "never", strokeWidth: 1.5, gridLineColor: "#eceff4", axisLineColor: "#c9d0dc",
    highlightCircleSize: 3, labelsKMB: false, animatedZooms: false, fillAlpha: 0.5,
    underlayCallback: onTime ? marked : undefined,
    highlightCallback: (_, __, ___, n) => shown(rows[n]),
    unhighlightCallback: () => shown(),
    ...more,
    axes: {x: {axisLabelFormatter: options.showX || seconds, axisLabelWidth: 60, pixelsPerLabel: 56, ...axes.x},
           y: {axisLabelFormatter: show, axisLabelWidth: 62, ...axes.y}},
  });
  if (onTime) timeline.graphs.push(graph);
};

// The share of answers that were slower, over the logarithm of their time.
const tail_points = (tail) => tail.map(([x, y]) => [Math.log10(Math.max(x, 1e-6)), y]).filter(
    ([x], n, all) => n === 0 || x > all[n - 1][0]);
// Where all took equally long there is nothing to draw.
const has_tail = (tail) => tail_points(tail).filter(([, share]) => share > 0).length > 1;
// Of an axis of logarithms: 1, 2 and 5 in every power of ten, or 1 alone where they would be too many;
// over less than a decade, wherever dygraphs would put them.
const log_ticks = (from, to, pixels, option, graph, values) => {
  const digits = (to - from) * 130 > pixels ? [1] : [1, 2, 5];
  const ticks = [];
  for (let decade = Math.floor(from); decade <= to; ++decade) {
    for (const digit of digits) {
      const v = decade + Math.log10(digit);
      if (v >= from && v <= to) ticks.push({v, label: ms(10 ** v).replace(/\.0+ /, " ")});
    }
  }
  return ticks.length > 1 ? ticks : Dygraph.numericTicks(from, to, pixels, option, graph, values);
};
const on_log_axis = {onTime: false, logscale: true, show: percent, showX: (x) => ms(10 ** x),
                     axes: {x: {ticker: log_ticks}}};
