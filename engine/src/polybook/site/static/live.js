// Only on pages that `polybook serve` serves: shows the page again once it is built, and at its top what
// is wrong with the book. The old page stays until that is mended.
(() => {
  const banner = document.createElement("div");
  banner.className = "polybook-findings";
  banner.setAttribute("role", "alert");
  banner.style.cssText =
    "position:fixed;inset:0 0 auto;z-index:9999;max-height:40vh;overflow:auto;padding:.75rem 1rem;" +
    "background:#8b1a1a;color:#fff;font:14px/1.5 monospace;white-space:pre-wrap";

  const events = new EventSource(`/.polybook/events?page=${encodeURIComponent(location.pathname)}`);
  events.addEventListener("built", () => location.reload());
  events.addEventListener("findings", (event) => {
    const findings = JSON.parse(event.data);
    banner.textContent = findings.join("\n");
    if (findings.length) document.body.prepend(banner);
    else banner.remove();
  });
  addEventListener("pagehide", () => events.close());
})();
