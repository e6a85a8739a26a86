// The page of the embedded AWS. Names and log lines may be hostile: they become text, never markup.
"use strict";

const SAMPLES = 240, EVERY = 500; // two minutes
const FAILED = new Set(["EssentialContainerExited", "TaskFailedToStart", "SpotInterruption"]);
const LEGEND = [["n", "in service"], ["w", "starting"], ["o", "of an earlier deployment"],
  ["p", "ending"], ["f", "a task failed"], ["t", "traffic of the new revision"]];
const cards = new Map(), past = new Map(), follows = new Map();
let latest = null;

const byId = (id) => document.getElementById(id);

function make(name, options = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(options)) {
    if (key === "text") made.textContent = value;
    else if (key === "click") made.addEventListener("click", value);
    else made.setAttribute(key, value);
  }
  made.append(...children);
  return made;
}

function write(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

// Keeps the nodes of what is still there, so that the keyboard's focus stays where it is.
function sync(parent, kept, items, key, create, update) {
  const wanted = new Set(items.map(key));
  for (const [id, node] of kept) {
    if (!wanted.has(id)) { node.remove(); kept.delete(id); }
  }
  items.forEach((item, at) => {
    const id = key(item);
    if (!kept.has(id)) kept.set(id, create(item));
    const node = kept.get(id);
    if (parent.children[at] !== node) parent.insertBefore(node, parent.children[at] || null);
    update(node, item);
  });
}

async function act(what, task) {
  const answer = await fetch("act", {method: "POST", headers: {"content-type": "application/json"},
    body: JSON.stringify({act: what, task})});
  const said = await answer.json();
  write(byId("said"), answer.ok ? "" : said.error);
}

// ---- one service

function stateOf(service, task) {
  if (task.status === "STOPPED") return "";
  const primary = service.deployments.find((found) => found.status === "PRIMARY");
  const isNew = primary !== undefined && task.deployment === primary.id;
  if (task.status === "DEACTIVATING" || task.status === "STOPPING") return "p";
  const serves = task.status === "RUNNING" && task.health !== "UNHEALTHY"
    && (service.urls.length === 0 || task.target === "healthy");
  return serves ? (isNew ? "n" : "o") : "w";
}

function failures(service) {
  return service.tasks.filter((task) => FAILED.has(task.code) || task.reason.includes("failed"))
    .map((task) => task.id);
}

function sample() {
  if (latest === null) return;
  for (const service of latest.services) {
    const found = past.get(service.key) || {points: [], seen: new Set(failures(service))};
    past.set(service.key, found);
    const counts = {n: 0, w: 0, o: 0, p: 0};
    for (const task of service.tasks) {
      const state = stateOf(service, task);
      if (state) counts[state] += 1;
    }
    const fresh = failures(service).filter((id) => !found.seen.has(id));
    fresh.forEach((id) => found.seen.add(id));
    const weight = service.rollout.weight;
    found.points.push({...counts, failed: fresh.length > 0, weight});
    if (found.points.length > SAMPLES) found.points.shift();
    draw(cards.get(service.key).querySelector("svg"), found.points, counts);
  }
}

function shape(name, options) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(options)) made.setAttribute(key, String(value));
  return made;
}

function draw(svg, points, counts) {
  const most = Math.max(2, ...points.map((point) => point.n + point.w + point.o + point.p));
  const parts = [], line = [];
  points.forEach((point, at) => {
    const x = SAMPLES - points.length + at;
    let top = 100;
    for (const state of ["n", "w", "o", "p"]) {
      const height = 88 * point[state] / most;
      top -= height;
      if (height) parts.push(shape("rect", {class: state, x, y: top, width: 1.05, height}));
    }
    if (point.failed) parts.push(shape("rect", {class: "f", x, y: 0, width: 2, height: 100}));
    if (typeof point.weight === "number") line.push(`${x},${100 - 88 * point.weight / 100}`);
  });
  if (line.length > 1) parts.push(shape("polyline", {class: "t", points: line.join(" ")}));
  const title = shape("title", {});
  title.textContent = `Tasks of the last two minutes. Now: ${counts.n} in service, ` +
    `${counts.w} starting, ${counts.o} of an earlier deployment, ${counts.p} ending.`;
  svg.replaceChildren(title, ...parts);
}

function createCard(service) {
  const svg = shape("svg", {viewBox: `0 0 ${SAMPLES} 100`, preserveAspectRatio: "none", role: "img"});
  const legend = make("ul", {class: "legend"});
  for (const [name, text] of LEGEND) {
    legend.append(make("li", {}, make("span", {class: name}), document.createTextNode(text)));
  }
  const card = make("article", {"aria-label": service.name},
    make("div", {class: "head"}, make("h2", {text: service.name}), make("span", {class: "badge"}),
      make("span", {class: "count"}), make("span", {class: "quiet where"})),
    make("p", {class: "why"}), make("p", {class: "urls"}), svg, legend,
    make("h3", {text: "Deployments"}), make("ul", {class: "rows deployments"}),
    make("h3", {text: "Tasks"}), make("ul", {class: "rows tasks"}),
    make("h3", {text: "Events"}),
    make("ul", {class: "rows events", tabindex: "0", "aria-label": `Events of ${service.name}`}));
  card.kept = {deployments: new Map(), tasks: new Map(), events: new Map(), urls: new Map()};
  return card;
}

function updateCard(card, service) {
  const at = (name) => card.querySelector(name);
  const primary = service.deployments.find((found) => found.status === "PRIMARY");
  const state = primary ? primary.rollout : "";
  const badge = at(".badge"), status = service.rollout.status || state;
  write(badge, [status, service.rollout.stage].filter(Boolean).join(" · ").replaceAll("_", " "));
  badge.className = "badge " + (/FAILED|ROLLBACK|STOPPED/.test(status) ? "bad"
    : /PROGRESS|PENDING|REQUESTED/.test(status) ? "busy" : "good");
  write(at(".count"), `${service.running} of ${service.desired} running`);
  write(at(".where"), `${service.taskDefinition} · ${service.cluster} · ${service.region}`);
  write(at(".why"), service.rollout.reason || (primary ? primary.reason : ""));
  sync(at(".urls"), card.kept.urls, service.urls.filter((url) => url.startsWith("http://")),
    (url) => url, (url) => make("span", {},
      make("a", {href: url, text: url, target: "_blank", rel: "noopener noreferrer"}), " "),
    () => {});
  sync(at(".deployments"), card.kept.deployments, service.deployments, (found) => found.id,
    () => make("li", {}, make("span"), make("span", {class: "quiet"})), (row, found) => {
      write(row.children[0], `${found.taskDefinition} · ${found.status} · ${found.rollout}`);
      write(row.children[1], `${found.running} of ${found.desired} running` +
        (found.failed ? ` · ${found.failed} failed` : ""));
    });
  sync(at(".tasks"), card.kept.tasks, service.tasks, (task) => task.id, createTask, updateTask);
  sync(at(".events"), card.kept.events, service.events,
    (event) => `${event.at} ${event.message}`, (event) => make("li", {},
      make("span", {class: "quiet", text: new Date(event.at * 1000).toLocaleTimeString()}),
      make("span", {text: event.message})), () => {});
}

// ---- one task

function createTask(task) {
  const short = task.id.slice(0, 8);
  const button = (name, text, what) => make("button", {type: "button", class: name, text,
    "aria-label": `${text}: task ${short}`, click: () => act(what(), task.id)});
  const health = button("health", "Fail its health check", () =>
    health.dataset.failing ? "pass-health" : "fail-health");
  return make("li", {}, make("span", {class: "id", text: short}), make("span", {class: "what"}),
    make("span", {class: "quiet reason"}),
    make("span", {class: "buttons"}, health, button("stop", "Stop the task", () => "stop"),
      button("spot", "Interrupt Spot", () => "interrupt-spot"),
      make("button", {type: "button", class: "logs", text: "Logs", "aria-expanded": "false",
        "aria-label": `Logs: task ${short}`, click: (event) => toggleLogs(event.target, task.id)})));
}

function updateTask(row, task) {
  const runs = task.status !== "STOPPED" && task.status !== "STOPPING";
  const at = (name) => row.querySelector(name);
  const target = task.target ? ` · target ${task.target}` : "";
  const check = task.health === "UNKNOWN" ? "" : ` · ${task.health}`;
  write(at(".what"), `${task.status}${target}${check} · ${task.taskDefinition}` +
    (task.provider ? ` · ${task.provider}` : ""));
  write(at(".reason"), task.reason + (task.exit ? ` (exit code ${task.exit})` : ""));
  at(".what").className = "what" + (task.status === "STOPPED" && FAILED.has(task.code) ? " bad" : "");
  at(".health").hidden = !runs || !task.target;
  at(".health").dataset.failing = task.isFailing ? "1" : "";
  write(at(".health"), task.isFailing ? "Let its health check pass" : "Fail its health check");
  at(".stop").hidden = !runs;
  at(".spot").hidden = !runs || task.provider !== "FARGATE_SPOT";
}

function toggleLogs(button, task) {
  const row = button.closest("li");
  if (follows.has(task)) {
    clearInterval(follows.get(task));
    follows.delete(task);
    row.querySelector("pre").remove();
    button.setAttribute("aria-expanded", "false");
    return;
  }
  const shown = make("pre", {tabindex: "0", role: "log", "aria-label": `Log of task ${task.slice(0, 8)}`});
  row.append(shown);
  button.setAttribute("aria-expanded", "true");
  const read = async () => {
    if (!shown.isConnected) {
      clearInterval(follows.get(task));
      follows.delete(task);
      return;
    }
    const answer = await fetch("logs?task=" + encodeURIComponent(task));
    if (!answer.ok) return;
    const isAtEnd = shown.scrollTop + shown.clientHeight >= shown.scrollHeight - 8;
    const lines = (await answer.json()).lines.map(([, container, text]) => `${container}  ${text}`);
    write(shown, lines.join("\n") || "No lines yet");
    if (isAtEnd) shown.scrollTop = shown.scrollHeight;
  };
  follows.set(task, setInterval(read, 1000));
  read();
}

// ---- live

function show(seen) {
  latest = seen;
  const {runtime, speed, account} = seen.instance;
  write(byId("instance"), `account ${account} · tasks as ${runtime === "process" ? "processes" : "containers"}` +
    ` · ${speed} times as fast`);
  byId("none").hidden = seen.services.length > 0;
  sync(byId("services"), cards, seen.services, (found) => found.key, createCard, updateCard);
}

const source = new EventSource("events");
source.addEventListener("open", () => write(byId("state"), "Live"));
source.addEventListener("message", (event) => show(JSON.parse(event.data)));
source.addEventListener("error", () => write(byId("state"), "Not connected"));
setInterval(sample, EVERY);
