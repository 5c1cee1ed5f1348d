// Brings in parts of the page again when the server says that something has changed.
(function () {
  "use strict";

  // busy: somebody is in the middle of something here that must not go away.
  function busy(el) {
    var active = document.activeElement;
    if (active && el.contains(active) && /^(INPUT|TEXTAREA|SELECT)$/.test(active.tagName)) return true;
    if (el.querySelector("form[data-dirty]")) return true;
    var selection = document.getSelection();
    return !!(selection && !selection.isCollapsed && el.contains(selection.anchorNode));
  }

  function refresh(names) {
    document.querySelectorAll("[data-live]").forEach(function (el) {
      var wants = el.dataset.live.split(",");
      if (names && !names.some(function (n) { return wants.indexOf(n) >= 0; })) return;
      if (!busy(el)) window.htmx.trigger(el, "refresh");
    });
    document.dispatchEvent(new CustomEvent("flyball:changed", { detail: names }));
  }

  function say(text, kind) {
    var el = document.getElementById("live-state");
    if (!el || el.textContent === text) return;
    el.textContent = text;
    el.dataset.kind = kind;
  }

  // One connection for each tab that can be seen: browsers allow six for each server.
  var source = null, missed = false;
  function listen() {
    if (source || document.hidden || !document.querySelector("[data-live],[data-sheet]")) {
      if (!source && !document.hidden) say("", "none");
      return;
    }
    source = new EventSource("/ui/events");
    source.addEventListener("hello", function () {
      say("live", "live");
      if (missed) refresh(null);
      missed = false;
    });
    source.addEventListener("changed", function (e) {
      var names = e.data.split(",");
      if (names.indexOf("trouble") >= 0) say("ClickHouse is away", "bad");
      else { say("live", "live"); refresh(names); }
    });
    source.onerror = function () {
      missed = true;
      say("not connected", "bad");
      if (source.readyState === EventSource.CLOSED) { source = null; setTimeout(listen, 15000); }
    };
  }
  document.addEventListener("visibilitychange", function () {
    if (document.hidden && source) { source.close(); source = null; missed = true; } else listen();
  });
  window.addEventListener("pagehide", function () { if (source) { source.close(); source = null; missed = true; } });
  window.addEventListener("pageshow", listen);

  // What every page shows comes with every part.
  document.addEventListener("htmx:beforeSwap", function (e) {
    var page = new DOMParser().parseFromString(e.detail.xhr.responseText, "text/html");
    ["waiting", "alerts"].forEach(function (id) {
      var now = document.getElementById(id), then = page.getElementById(id);
      if (now && then && now.outerHTML !== then.outerHTML && !(id === "alerts" && now.querySelector(".notice"))) now.replaceWith(then);
    });
  });
  document.addEventListener("input", function (e) {
    var form = e.target.closest("form");
    if (form && e.target.value !== e.target.defaultValue) form.dataset.dirty = "1";
  });
  // A choice in a filter takes effect at once.
  document.addEventListener("change", function (e) {
    var form = e.target.closest("form[data-filter]");
    if (form) form.requestSubmit();
  });
  // Whoever gives a name once need not give it again.
  document.querySelectorAll("input[name=who]").forEach(function (el) {
    try { if (!el.value) el.value = localStorage.getItem("flyball-who") || ""; } catch (e) { /* storage may be off */ }
    el.defaultValue = el.value;
  });
  document.addEventListener("submit", function (e) {
    var who = e.target.querySelector("input[name=who]");
    try { if (who && who.value) localStorage.setItem("flyball-who", who.value); } catch (err) { /* storage may be off */ }
  });

  // Light and dark.
  var button = document.getElementById("theme");
  function dark() {
    var chosen = document.documentElement.dataset.theme;
    return chosen ? chosen === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  }
  function label() { button.textContent = dark() ? "Light" : "Dark"; button.setAttribute("aria-label", "Change to " + (dark() ? "light" : "dark")); }
  button.addEventListener("click", function () {
    var to = dark() ? "light" : "dark";
    document.documentElement.dataset.theme = to;
    try { localStorage.setItem("flyball-theme", to); } catch (e) { /* storage may be off */ }
    label();
    document.dispatchEvent(new Event("flyball:theme"));
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", function () { label(); document.dispatchEvent(new Event("flyball:theme")); });
  label();

  // Links to other ranges keep the rest of the address.
  document.querySelectorAll("a[data-range]").forEach(function (a) {
    var url = new URL(location.href);
    url.searchParams.set("range", a.dataset.range);
    url.searchParams.delete("notice");
    a.href = url.pathname + url.search;
  });
  // A notice is said once.
  var here = new URL(location.href);
  if (here.searchParams.has("notice")) { here.searchParams.delete("notice"); history.replaceState(null, "", here.pathname + here.search + here.hash); }

  // What is not there yet may be there in a moment.
  if (document.querySelector("[data-retry]")) setTimeout(function () { location.reload(); }, 3000);

  listen();
})();
