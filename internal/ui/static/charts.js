// Draws what a sheet describes: charts below one another on one axis of time, with bands,
// thresholds and marks, and cursors that move together.
(function () {
  "use strict";

  var none = "–";
  var glyphs = { page: "▲", ticket: "◆", info: "○", deploy: "⬇", remedy: "✚", change: "✎" };
  var kinds = { page: "page", ticket: "ticket", info: "other finding", deploy: "deployment", remedy: "remediation", change: "change by a person" };

  function digits(x) {
    var a = Math.abs(x);
    if (a >= 100 || (a >= 1 && a === Math.trunc(a))) return x.toFixed(0);
    if (a >= 10) return String(+x.toFixed(1));
    if (a >= 0.01 || a === 0) return String(+x.toFixed(2));
    return x.toPrecision(2);
  }
  function short(x) {
    var a = Math.abs(x);
    if (a >= 1e9) return digits(x / 1e9) + "G";
    if (a >= 1e6) return digits(x / 1e6) + "M";
    if (a >= 1e4) return digits(x / 1e3) + "k";
    return digits(x);
  }
  function format(x, unit) {
    if (x == null) return none;
    if (x < 0) return "−" + format(-x, unit);
    switch (unit) {
      case "share": return (Math.abs(x) > 0.99 && Math.abs(x) < 1 ? String(+(x * 100).toFixed(3)) : digits(x * 100)) + " %";
      case "/s": return short(x) + "/s";
      case "x": return short(x) + "×";
      case "ns":
        if (x === 0) return "0";
        if (Math.abs(x) >= 1e9) return digits(x / 1e9) + " s";
        if (Math.abs(x) >= 1e6) return digits(x / 1e6) + " ms";
        if (Math.abs(x) >= 1e3) return digits(x / 1e3) + " µs";
        return digits(x) + " ns";
      case "": return short(x);
    }
    return short(x) + " " + unit;
  }
  // Axes of durations get round numbers of ms or s, not of ns.
  function incrs(unit) {
    if (unit !== "ns") return undefined;
    var out = [];
    for (var e = 0; e < 13; e++) [1, 2, 5].forEach(function (m) { out.push(m * Math.pow(10, e)); });
    return out;
  }

  function css(name) { return getComputedStyle(document.documentElement).getPropertyValue(name).trim(); }
  function clock(s) { return new Date(s * 1000).toISOString().slice(11, 19); }
  function moment(s) { return new Date(s * 1000).toISOString().slice(0, 19).replace("T", " "); }
  function node(tag, name, text) {
    var el = document.createElement(tag);
    if (name) el.className = name;
    if (text != null) el.textContent = text;
    return el;
  }

  function Sheet(box) {
    this.box = box;
    this.plots = [];
    this.spec = null;
    this.zoom = null;
    this.busy = false;
    this.again = false;
  }

  Sheet.prototype.load = function () {
    var self = this;
    if (this.busy) { this.again = true; return; }
    this.busy = true;
    fetch(this.box.dataset.sheet, { headers: { Accept: "application/json" } })
      .then(function (r) { if (!r.ok) throw new Error("the server answers " + r.status); return r.json(); })
      .then(function (spec) { self.show(spec); })
      .catch(function (e) { if (!self.spec) self.box.replaceChildren(node("p", "hint", "The charts cannot be loaded: " + e.message)); })
      .then(function () {
        self.busy = false;
        if (self.again) { self.again = false; self.load(); }
      });
  };

  // shape is what must be the same for new values to go into the charts that are there.
  function shape(spec) {
    return JSON.stringify(spec.charts.map(function (c) {
      return [c.id, c.unit, c.log, (c.thresholds || []).length, c.lines.map(function (l) { return [l.label, l.role]; }), (c.bands || []).map(function (b) { return b.label; })];
    }));
  }

  Sheet.prototype.show = function (spec) {
    var same = this.spec && this.plots.length && shape(this.spec) === shape(spec);
    this.spec = spec;
    if (!same) { this.draw(); return; }
    var self = this;
    spec.charts.forEach(function (c, i) {
      var p = self.plots[i];
      p.chart = c;
      self.caption(p);
      p.u.setData(columns(spec, c), false);
      p.u.setScale("x", self.zoom || { min: spec.from, max: spec.until });
    });
    this.marks();
    this.rest();
  };

  function columns(spec, chart) {
    var data = [spec.x];
    (chart.bands || []).forEach(function (b) { data.push(b.high, b.low); });
    chart.lines.forEach(function (l) { data.push(l.y); });
    return data;
  }

  Sheet.prototype.draw = function () {
    var self = this, spec = this.spec;
    this.plots.forEach(function (p) { p.u.destroy(); });
    this.plots = [];
    this.box.replaceChildren();
    if (!spec.charts.length) { this.box.append(node("p", "hint", this.box.dataset.empty || "There is nothing to draw in this range.")); return; }
    this.key = node("ul", "key");
    this.lane = node("ol", "lane");
    this.box.append(this.key, this.lane);
    spec.charts.forEach(function (c) {
      var figure = node("figure", "chart"), caption = node("figcaption"), plot = node("div", "plot");
      figure.id = "chart-" + c.id;
      caption.append(node("h3", "", c.title), node("p", "summary", c.summary));
      figure.append(caption, plot);
      plot.setAttribute("role", "img");
      self.box.append(figure);
      var p = { chart: c, figure: figure, plot: plot };
      p.u = new uPlot(self.options(p), columns(spec, c), plot);
      figure.append(table(self, p));
      self.plots.push(p);
      self.caption(p);
    });
    this.marks();
    this.rest();
  };

  Sheet.prototype.caption = function (p) {
    p.figure.querySelector(".summary").textContent = p.chart.summary;
    p.plot.setAttribute("aria-label", p.chart.title + ". " + p.chart.summary);
  };

  // rest has legends show the last values while nobody points at anything.
  Sheet.prototype.rest = function () {
    this.plots.forEach(function (p) {
      if (p.u.cursor.idx != null) return;
      var last = -1;
      p.u.data.slice(1).forEach(function (y) { for (var i = y.length - 1; i > last; i--) if (y[i] != null) last = i; });
      if (last >= 0) p.u.setLegend({ idx: last });
    });
  };

  Sheet.prototype.options = function (p) {
    var self = this, spec = this.spec, c = p.chart, muted = css("--muted"), grid = css("--grid");
    var series = [{ label: "Time", value: function (u, v) { return v == null ? none : moment(v).slice(5); } }], bands = [];
    (c.bands || []).forEach(function (b) {
      var high = series.length;
      series.push({
        label: b.label, stroke: "transparent", width: 0, points: { show: false }, fill: null,
        value: function (u, v, s, i) { var low = u.data[high + 1][i]; return i == null || (v == null && low == null) ? none : format(low, c.unit) + " to " + format(v, c.unit); },
      });
      series.push({ label: b.label, stroke: "transparent", width: 0, points: { show: false }, class: "u-hidden-series" });
      bands.push({ series: [high, high + 1], fill: css("--band") });
    });
    c.lines.forEach(function (l) {
      var color = css("--line-" + l.role);
      series.push({
        label: l.label, stroke: color, width: l.dash ? 1.25 : 1.75, dash: l.dash ? [5, 4] : undefined, spanGaps: !!l.step,
        fill: l.fill ? color + "22" : undefined, points: { show: spec.x.length <= 30, size: 5, fill: color },
        paths: l.step ? uPlot.paths.stepped({ align: 1 }) : undefined,
        value: function (u, v) { return format(v, c.unit); },
      });
    });
    return {
      width: Math.max(320, p.plot.clientWidth), height: 190, series: series, bands: bands, padding: [8, 28, 0, 0],
      tzDate: function (ts) { return uPlot.tzDate(new Date(ts * 1e3), "Etc/UTC"); },
      cursor: { sync: { key: "sheet" }, drag: { x: true, y: false, uni: 12 }, points: { size: 7 }, focus: { prox: -1 } },
      legend: { live: true, isolate: false },
      scales: { x: { min: spec.from, max: spec.until, range: function (u, lo, hi) { return lo == null ? [self.spec.from, self.spec.until] : [lo, hi]; } }, y: { distr: c.log ? 3 : 1, range: function (u, lo, hi) { return limits(p.chart, lo, hi, u); } } },
      axes: [
        { stroke: muted, grid: { stroke: grid, width: 1 }, ticks: { stroke: grid, width: 1, size: 5 }, font: "12px " + css("font-family") + "system-ui, sans-serif", space: 70, incrs: seconds,
          values: [[3600 * 24 * 365, "{YYYY}", null, null, null, null, null, null, 1], [3600 * 24 * 28, "{MMM}", "\n{YYYY}", null, null, null, null, null, 1], [3600 * 24, "{MMM} {D}", null, null, null, null, null, null, 1],
            [3600, "{HH}:{mm}", "\n{MMM} {D}", null, null, null, null, null, 1], [60, "{HH}:{mm}", "\n{MMM} {D}", null, null, null, null, null, 1], [1, "{HH}:{mm}:{ss}", "\n{MMM} {D}", null, null, null, null, null, 1]] },
        { stroke: muted, grid: { stroke: grid, width: 1 }, ticks: { show: false }, size: 76, gap: 6, font: "12px system-ui, sans-serif", space: 34, incrs: incrs(c.unit), splits: c.log ? powers : undefined,
          values: function (u, v) { return v.map(function (x) { return x == null ? "" : format(x, c.unit); }); } },
      ],
      hooks: {
        drawClear: [function (u) { self.spans(u); }],
        draw: [function (u) { thresholds(u, p.chart); self.lines(u); }],
        setScale: [function (u, key) { if (key === "x") self.zoomed(u); }],
        setCursor: [function (u) { if (u.cursor.idx == null) self.rest(); }],
      },
    };
  };

  // seconds are the steps of the axis of time; less than one would repeat labels.
  var seconds = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400, 172800, 604800, 2592000];

  // powers of ten are enough lines for a logarithmic scale.
  function powers(u, axis, lo, hi) {
    var out = [], from = Math.round(Math.log10(lo)), to = Math.round(Math.log10(hi)), by = Math.max(1, Math.ceil((to - from) / 5));
    for (var e = from; e <= to; e += by) out.push(Math.pow(10, e));
    return out;
  }

  // limits keeps thresholds in sight, and a little room above. What was expected counts up
  // to twice what was: a wide band must not press the lines flat.
  function limits(c, lo, hi, u) {
    if (c.bands && u) {
      var from = u.scales.x.min, to = u.scales.x.max, top = null, x = u.data[0];
      u.data.slice(1 + 2 * c.bands.length).forEach(function (y) {
        for (var i = 0; i < y.length; i++) if (y[i] != null && (from == null || (x[i] >= from && x[i] <= to))) top = top == null ? y[i] : Math.max(top, y[i]);
      });
      (c.thresholds || []).forEach(function (t) { top = top == null ? t.y : Math.max(top, t.y); });
      if (top > 0 && hi != null) hi = Math.min(hi, 2 * top);
    }
    (c.thresholds || []).forEach(function (t) {
      lo = lo == null ? t.y : Math.min(lo, t.y);
      hi = hi == null ? t.y : Math.max(hi, t.y);
    });
    if (lo == null || hi == null) return c.log ? [0.1, 10] : [0, 1];
    if (c.log) return [Math.pow(10, Math.floor(Math.log10(Math.max(lo, 1e-6)))), Math.pow(10, Math.ceil(Math.log10(Math.max(hi, 1e-5)) + 0.05))];
    if (c.fromZero) lo = Math.min(lo, 0);
    if (hi === lo) { hi = lo + (Math.abs(lo) || 1); if (!c.fromZero) lo -= Math.abs(lo) || 1; }
    var room = (hi - lo) * 0.08;
    return [c.fromZero && lo === 0 ? 0 : lo - room, hi + room];
  }

  function thresholds(u, c) {
    var ctx = u.ctx, ratio = devicePixelRatio, left = u.bbox.left + 4 * ratio;
    (c.thresholds || []).forEach(function (t) {
      var y = Math.round(u.valToPos(t.y, "y", true));
      if (y < u.bbox.top || y > u.bbox.top + u.bbox.height) return;
      ctx.save();
      ctx.strokeStyle = ctx.fillStyle = css("--line-" + t.role);
      ctx.lineWidth = 1.25 * ratio;
      ctx.setLineDash([6 * ratio, 4 * ratio]);
      ctx.beginPath(); ctx.moveTo(u.bbox.left, y); ctx.lineTo(u.bbox.left + u.bbox.width, y); ctx.stroke();
      ctx.font = 11.5 * ratio + "px system-ui, sans-serif";
      ctx.textAlign = "left";
      var width = ctx.measureText(t.label).width, above = y - u.bbox.top > 18 * ratio;
      ctx.globalAlpha = 0.82; ctx.fillStyle = css("--surface");
      ctx.fillRect(left, above ? y - 16 * ratio : y + 2 * ratio, width + 6 * ratio, 14 * ratio);
      ctx.globalAlpha = 1; ctx.fillStyle = css("--line-" + t.role);
      ctx.textBaseline = above ? "bottom" : "top";
      ctx.fillText(t.label, left + 3 * ratio, above ? y - 3 * ratio : y + 4 * ratio);
      left += width + 18 * ratio; // labels of lines that are close do not cover each other
      ctx.restore();
    });
  }

  // spans shades how long findings were open, behind the lines.
  Sheet.prototype.spans = function (u) {
    var ctx = u.ctx, b = u.bbox;
    this.spec.marks.forEach(function (m) {
      if (!m.until || (m.kind !== "page" && m.kind !== "ticket")) return;
      var from = Math.max(b.left, u.valToPos(m.at, "x", true)), to = Math.min(b.left + b.width, u.valToPos(m.until, "x", true));
      if (to <= from) return;
      ctx.save();
      ctx.globalAlpha = 0.09;
      ctx.fillStyle = css(m.kind === "page" ? "--line-bad" : "--line-warn");
      ctx.fillRect(from, b.top, Math.max(to - from, 1), b.height);
      ctx.restore();
    });
  };

  function markColor(kind) {
    return css({ page: "--line-bad", ticket: "--line-warn", deploy: "--line-second", remedy: "--line-main", change: "--line-third" }[kind] || "--line-expected");
  }

  Sheet.prototype.lines = function (u) {
    var ctx = u.ctx, b = u.bbox, ratio = devicePixelRatio;
    this.spec.marks.forEach(function (m) {
      var x = Math.round(u.valToPos(m.at, "x", true));
      if (x < b.left || x > b.left + b.width) return;
      ctx.save();
      ctx.strokeStyle = markColor(m.kind);
      ctx.lineWidth = ratio;
      ctx.setLineDash(m.kind === "remedy" || m.kind === "deploy" ? [] : [2 * ratio, 3 * ratio]);
      ctx.beginPath(); ctx.moveTo(x, b.top); ctx.lineTo(x, b.top + b.height); ctx.stroke();
      ctx.restore();
    });
  };

  // marks puts signs above the charts that can be pointed at, and reached by keyboard.
  Sheet.prototype.marks = function () {
    var self = this, u = this.plots[0].u, ratio = devicePixelRatio, seen = {}, taken = [];
    var focused = this.lane.contains(document.activeElement) ? document.activeElement.dataset.at : null;
    this.lane.replaceChildren();
    this.spec.marks.forEach(function (m) {
      seen[m.kind] = true;
      var x = u.valToPos(m.at, "x", true);
      if (x < u.bbox.left - 1 || x > u.bbox.left + u.bbox.width + 1) return;
      var li = node("li"), el = node(m.href ? "a" : "span", "mark-" + m.kind, glyphs[m.kind] || "●");
      var text = clock(m.at) + "  " + m.label;
      if (m.href) el.href = m.href;
      el.setAttribute("aria-label", (kinds[m.kind] || m.kind) + " at " + text);
      el.dataset.at = m.kind + m.at;
      if (!m.href) el.setAttribute("role", "img");
      ["mouseenter", "focus"].forEach(function (e) { el.addEventListener(e, function () { self.tip(li, text); }); });
      ["mouseleave", "blur"].forEach(function (e) { el.addEventListener(e, function () { self.tip(null); }); });
      // Signs of the same moment stand side by side.
      var left = x / ratio;
      while (taken.some(function (t) { return Math.abs(t - left) < 15; })) left += 15;
      taken.push(left);
      li.style.left = left + "px";
      li.append(el);
      self.lane.append(li);
      if (focused === el.dataset.at) el.focus();
    });
    this.lane.hidden = !this.lane.children.length;
    this.key.replaceChildren();
    Object.keys(kinds).forEach(function (k) {
      if (!seen[k]) return;
      var li = node("li");
      li.append(node("span", "mark-" + k, glyphs[k] + " "), kinds[k]);
      self.key.append(li);
    });
  };

  Sheet.prototype.tip = function (li, text) {
    if (this.tipped) { this.tipped.remove(); this.tipped = null; }
    if (!li) return;
    var tip = this.tipped = node("div", "tip", text);
    this.lane.after(tip);
    var left = parseFloat(li.style.left);
    tip.style.top = this.lane.offsetTop + this.lane.offsetHeight + "px";
    tip.style.left = Math.max(0, Math.min(left - tip.offsetWidth / 2, this.box.clientWidth - tip.offsetWidth)) + "px";
  };

  // zoomed has the other charts show the same range.
  Sheet.prototype.zoomed = function (u) {
    if (this.zooming || !this.plots.length) return;
    var min = u.scales.x.min, max = u.scales.x.max;
    var whole = min <= this.spec.from + 0.001 && max >= this.spec.until - 0.001;
    this.zoom = whole ? null : { min: min, max: max };
    this.zooming = true;
    this.plots.forEach(function (p) { if (p.u !== u && (p.u.scales.x.min !== min || p.u.scales.x.max !== max)) p.u.setScale("x", { min: min, max: max }); });
    this.zooming = false;
    if (this.plots.length === this.spec.charts.length) this.marks();
  };

  // table gives the values as text to whoever cannot see the lines.
  function table(self, p) {
    var details = node("details"), summary = node("summary", "", "Values");
    details.append(summary);
    details.addEventListener("toggle", function () {
      var old = details.querySelector(".scroll");
      if (old) old.remove();
      if (!details.open) return;
      var c = p.chart, box = node("div", "scroll"), t = node("table"), head = node("tr"), body = node("tbody");
      box.tabIndex = 0;
      head.append(node("th", "", "Time (UTC)"));
      c.lines.forEach(function (l) { head.append(node("th", "num", l.label)); });
      var h = node("thead");
      h.append(head);
      for (var i = self.spec.x.length - 1; i >= 0 && body.children.length < 60; i--) {
        if (!c.lines.some(function (l) { return l.y[i] != null; })) continue;
        var row = node("tr");
        row.append(node("td", "", moment(self.spec.x[i])));
        c.lines.forEach(function (l) { row.append(node("td", "num", format(l.y[i], c.unit))); });
        body.append(row);
      }
      t.append(h, body);
      box.append(t);
      details.append(box);
    });
    return details;
  }

  document.addEventListener("DOMContentLoaded", function () {
    document.querySelectorAll("[data-sheet]").forEach(function (box) {
      var sheet = new Sheet(box), wants = (box.dataset.on || "windows").split(",");
      sheet.load();
      document.addEventListener("flyball:changed", function (e) {
        if (!e.detail || e.detail.some(function (n) { return wants.indexOf(n) >= 0; })) sheet.load();
      });
      document.addEventListener("flyball:theme", function () { if (sheet.spec) sheet.draw(); });
      var waiting = null;
      window.addEventListener("resize", function () {
        clearTimeout(waiting);
        waiting = setTimeout(function () {
          sheet.plots.forEach(function (p) { p.u.setSize({ width: Math.max(320, p.plot.clientWidth), height: 190 }); });
          if (sheet.plots.length) sheet.marks();
        }, 100);
      });
    });
  });
})();
