// A shop puts this on its pages: <script async src="https://DESK/widget.js" data-shop="SHOP"></script>
// It adds one button, and a frame when that is pressed first; later pages of the tab have both at once. It
// makes no inline style and no markup of text, so that a page whose policy names DESK in script-src and
// frame-src needs nothing else.
(function () {
  var script = document.currentScript;
  var wish = script && script.dataset;
  if (!wish || !wish.shop || window.PeakDesk) return;
  var desk = new URL(script.src).origin;
  var language = wish.lang || (/^zh/i.test(navigator.language) ? "zh-CN" : "en");
  var words = language === "en" ? ["Chat with us", "Close the chat", "unread"] : ["咨询客服", "收起聊天", "条未读"];
  var place = document.createElement("peakdesk-widget");
  var root = place.attachShadow({ mode: "open" });
  var sheet = new CSSStyleSheet();
  sheet.replaceSync(
    ":host{all:initial}[hidden]{display:none!important}" +
      "button{position:fixed;z-index:2147483646;right:20px;bottom:20px;min-height:48px;padding:0 20px;border:0;border-radius:24px;" +
      "background:#1f5fd6;color:#fff;font:600 15px/22px system-ui,'PingFang SC','Microsoft YaHei',sans-serif;cursor:pointer;box-shadow:0 4px 16px rgb(23 32 43/28%)}" +
      "button:focus-visible{outline:3px solid #fff;box-shadow:0 0 0 6px #1f5fd6}" +
      "b{margin-left:8px;padding:0 7px;border-radius:10px;background:#fff;color:#b91c1c}" +
      "iframe{position:fixed;z-index:2147483647;right:20px;bottom:84px;width:376px;height:min(640px,calc(100vh - 104px));border:0;border-radius:10px;" +
      "background:#f7f9fb;box-shadow:0 8px 32px rgb(23 32 43/28%)}" +
      "@media(max-width:480px){iframe{inset:0;width:100%;height:100%;border-radius:0}}" +
      "@media print{:host{display:none}}"
  );
  root.adoptedStyleSheets = [sheet];
  var button = root.appendChild(document.createElement("button"));
  var label = button.appendChild(document.createElement("span"));
  var badge = button.appendChild(document.createElement("b"));
  var key = "peakdesk.chat." + wish.shop;
  var frame = null;
  var unread = 0;
  var isAsked = false;
  var before = kept();
  var seen = before[1];
  button.type = "button";
  button.addEventListener("click", function () {
    show(!frame || frame.hidden);
  });
  // A phone's frame would cover the page that the buyer went to.
  if (before[0]) made(before[0] !== "open" || matchMedia("(max-width:480px)").matches);
  draw();
  (document.body || document.documentElement).appendChild(place);

  // How the last page of this tab was left, and what was seen there: an answer must not wait behind a button
  // that says nothing of it. A page that may keep nothing begins anew.
  function kept() {
    try {
      return (sessionStorage.getItem(key) || "").split(" ");
    } catch {
      return [];
    }
  }

  function keep() {
    try {
      sessionStorage.setItem(key, (frame.hidden ? "closed " : "open ") + (seen || ""));
    } catch {
      return;
    }
  }

  function draw() {
    var isOpen = !!frame && !frame.hidden;
    label.textContent = words[isOpen ? 1 : 0];
    badge.textContent = unread > 99 ? "99+" : unread;
    badge.hidden = isOpen || !unread;
    button.setAttribute("aria-expanded", isOpen);
    button.setAttribute("aria-label", label.textContent + (badge.hidden ? "" : " (" + unread + " " + words[2] + ")"));
  }

  function made(isHidden) {
    var asked = new URLSearchParams({ lang: language });
    if (wish.topic) asked.set("topic", wish.topic);
    if (wish.theme) asked.set("theme", wish.theme);
    frame = document.createElement("iframe");
    frame.title = words[0];
    frame.hidden = isHidden;
    frame.src = desk + "/widget/" + encodeURIComponent(wish.shop) + "?" + asked;
    root.appendChild(frame);
  }

  function tell() {
    frame.contentWindow.postMessage({ peakdesk: frame.hidden ? "closed" : "open", asked: isAsked, seen: seen }, desk);
  }

  function show(isOpen) {
    isAsked = true;
    if (!frame) made(false);
    else {
      frame.hidden = !isOpen;
      tell();
    }
    keep();
    draw();
    (isOpen ? frame : button).focus();
  }

  addEventListener("message", function (event) {
    var said = event.data;
    if (!frame || event.origin !== desk || event.source !== frame.contentWindow || !said) return;
    if (said.peakdesk === "ready") tell();
    else if (said.peakdesk === "close") show(false);
    else if (said.peakdesk === "unread" && said.count >= 0) {
      unread = said.count | 0;
      seen = said.seen || seen;
      keep();
      draw();
    }
  });

  // What is not open stays as it is: a page that closes it to be sure opens nothing and keeps its focus.
  function close() {
    if (frame && !frame.hidden) show(false);
  }

  window.PeakDesk = { open: show.bind(null, true), close: close };
})();
