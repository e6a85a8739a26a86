// Markdown or a terminal's bytes → a page as GitHub or a terminal shows it. Reads JSON, writes HTML.
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

const [cache, kind, scheme, width, rows] = process.argv.slice(2);
const file = (path) => pathToFileURL(`${cache}/node_modules/${path}`).href;
const input = readFileSync(0);
const dark = scheme === "dark";
const back = dark ? "#0d1117" : "#ffffff";
// The page's height is its title: the picture is taken with it.
const measure = `document.title = Math.ceil(document.querySelector("#page").getBoundingClientRect().height)`;

async function comment() {
  const { marked } = await import(file("marked/lib/marked.esm.js"));
  const colors = { "+": "pl-mi1", "-": "pl-md", "!": "pl-mc" };
  const paint = (code) =>
    code.split("\n").map((l) => (colors[l[0]] ? `<span class="${colors[l[0]]}">${l}</span>` : l)).join("\n");
  const html = marked
    .parse(input.toString(), { gfm: true, breaks: true })
    .replace(/<pre><code class="language-mermaid">([\s\S]*?)<\/code><\/pre>/g, '<pre class="mermaid">$1</pre>')
    .replace(/<pre><code class="language-diff">([\s\S]*?)<\/code><\/pre>/g, (_, c) => `<pre><code>${paint(c)}</code></pre>`)
    .replaceAll("<details>", "<details open>");
  return `<!doctype html><meta charset="utf-8">
<link rel="stylesheet" href="${file(`github-markdown-css/github-markdown-${scheme}.css`)}">
<style>body { margin: 0; background: ${back} }
#page { box-sizing: border-box; width: ${width}px; padding: 16px; font-size: 14px }</style>
<article id="page" class="markdown-body">${html}</article>
<script src="${file("mermaid/dist/mermaid.min.js")}"></script>
<script>mermaid.initialize({ startOnLoad: false, theme: "${dark ? "dark" : "default"}" });
mermaid.run().then(() => { ${measure} });</script>`;
}

function terminal() {
  const theme = dark
    ? { background: "#0d1117", foreground: "#e6edf3", cursor: "#0d1117" }
    : { background: "#ffffff", foreground: "#1f2328", cursor: "#ffffff", green: "#116329", red: "#cf222e" };
  return `<!doctype html><meta charset="utf-8">
<link rel="stylesheet" href="${file("@xterm/xterm/css/xterm.css")}">
<style>body { margin: 0; background: ${back} } #page { padding: 12px; display: inline-block }</style>
<div id="page"></div>
<script src="${file("@xterm/xterm/lib/xterm.js")}"></script>
<script>const t = new Terminal({ cols: ${width}, rows: ${rows}, fontSize: 13, convertEol: true,
  fontFamily: "DejaVu Sans Mono", theme: ${JSON.stringify(theme)} });
t.open(document.querySelector("#page"));
t.write(Uint8Array.from(atob("${input.toString("base64")}"), (c) => c.charCodeAt(0)), () => {
  const used = t.buffer.active.baseY + t.buffer.active.cursorY + 1;
  t.resize(${width}, used); setTimeout(() => { ${measure} }, 200) });</script>`;
}

process.stdout.write(kind === "comment" ? await comment() : terminal());
