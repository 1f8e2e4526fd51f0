// Runs before the first paint, as a blocking file of its own, because inline scripts are forbidden:
// who works in the dark is not dazzled, and no word changes its language before their eyes.
// Keys and values are those of src/preferences.ts.
(function () {
  var root = document.documentElement;
  var read = function (key) {
    try {
      return localStorage.getItem("peakdesk." + key);
    } catch {
      return null;
    }
  };
  var theme = read("theme");
  var dark = theme === "dark" || (theme !== "light" && matchMedia("(prefers-color-scheme: dark)").matches);
  root.dataset.theme = dark ? "dark" : "light";
  root.dataset.density = read("density") === "compact" ? "compact" : "cosy";
  if (read("language") === "en") root.lang = "en";
})();
