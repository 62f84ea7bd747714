// Sets the colour scheme before the first paint. A file of its own, not an inline script: the
// content security policy allows none. The key is Mantine's.
(function () {
  var stored = null;
  try {
    stored = localStorage.getItem("mantine-color-scheme-value");
  } catch (error) {
    stored = null; // storage is blocked: follow the system
  }
  var system = matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
  var scheme = stored === "light" || stored === "dark" ? stored : system;
  document.documentElement.setAttribute("data-mantine-color-scheme", scheme);
})();
