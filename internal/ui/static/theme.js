// Sets the theme before anything is drawn. Without a choice the system's holds.
(function () {
  "use strict";
  var chosen = null;
  try { chosen = localStorage.getItem("flyball-theme"); } catch (e) { /* storage may be off */ }
  if (chosen === "light" || chosen === "dark") document.documentElement.dataset.theme = chosen;
})();
