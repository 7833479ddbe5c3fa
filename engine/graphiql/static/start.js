// Starts GraphiQL from the page's configuration, and keeps whoever signs in through it signed in.
"use strict";

(() => {
  const { endpoint, tabs } = JSON.parse(document.getElementById("config").textContent);
  const el = React.createElement;

  function start() {
    const linked = linkedTab();
    const openings = linked ? [linked, ...tabs] : tabs;
    const explorer = el(
      GraphiQL,
      {
        storage,
        fetcher: GraphiQL.createFetcher({
          url: endpoint,
          fetch: fetchSignedIn,
          subscriptionUrl: new URL(endpoint, location.href.replace(/^http/, "ws")).href,
          // Read anew for each subscription.
          get wsConnectionParams() {
            const session = parse(storedSession());
            return session ? { authorization: `Bearer ${session.token}` } : {};
          },
        }),
        plugins: [GraphiQLPluginExplorer.explorerPlugin()],
        defaultEditorToolsVisibility: true,
        inputValueDeprecation: true,
        isHeadersEditorEnabled: true,
        shouldPersistHeaders: false,
        defaultTabs: openings.length ? openings : undefined,
        // GraphiQL finds the tab to show by its content: without it, each visit would add one.
        ...(linked ?? lastTab() ?? openings[0]),
      },
      el(GraphiQL.Logo, null, el(Session)),
    );
    const place = document.getElementById("explorer");
    wrapLines(place);
    ReactDOM.createRoot(place).render(explorer);
  }

  // Examples begin with a sentence or two, longer than the editor is wide. GraphiQL has no setting for it.
  function wrapLines(place) {
    const waiting = new MutationObserver(() => {
      const editor = place.querySelector(".graphiql-query-editor .CodeMirror")?.CodeMirror;
      if (!editor) return;
      waiting.disconnect();
      editor.setOption("lineWrapping", true);
    });
    waiting.observe(place, { childList: true, subtree: true });
  }

  // Tabs --------------------------------------------------------------------------------------------------------------

  // A namespace of our own: other GraphiQLs once served from this host and port have left their tabs in the browser.
  const storage = withoutHeaders(GraphiQL.createLocalStorage({ namespace: "comptoir" }));

  // Headers hold tokens, which the browser is not to keep: GraphiQL's own setting leaves them in its history.
  function withoutHeaders(local) {
    const written = new Set(["graphiql:tabState", "graphiql:queries", "graphiql:favorites"]);
    const forget = (key, value) => (key === "headers" ? null : value);
    const keep = (key, text) => local.setItem(key, written.has(key) ? JSON.stringify(JSON.parse(text, forget)) : text);
    for (const key of written) if (local.getItem(key) !== null) keep(key, local.getItem(key)); // of an earlier version
    local.removeItem("graphiql:headers");
    return Object.assign(Object.create(local), { setItem: keep });
  }

  // What the page's address asks for with `?query=` and `?variables=`.
  function linkedTab() {
    const asked = new URLSearchParams(location.search);
    const query = asked.get("query");
    return query === null ? null : { query, variables: asked.get("variables") ?? "", headers: "" };
  }

  // What was open when the page was left.
  function lastTab() {
    const state = parse(storage.getItem("graphiql:tabState"));
    const tab = state?.tabs[state.activeTabIndex];
    return tab && { query: tab.query ?? "", variables: tab.variables ?? "", headers: tab.headers ?? "" };
  }

  // Session -----------------------------------------------------------------------------------------------------------

  function Session() {
    const session = parse(React.useSyncExternalStore(onSessionChange, storedSession));
    return el(
      "div",
      { className: "session" },
      el("strong", null, "Comptoir"),
      el("span", { className: "session-who" }, session ? signature(session) : "Not signed in"),
      session && el("button", { type: "button", onClick: () => keep(null) }, "Sign out"),
    );
  }

  function signature({ who }) {
    return who ? `Signed in as ${who}` : "Signed in";
  }

  // An Authorization header written in the headers editor comes before the session's.
  async function fetchSignedIn(url, request) {
    const headers = new Headers(request.headers);
    const session = headers.has("Authorization") ? null : parse(storedSession());
    if (session) headers.set("Authorization", `Bearer ${session.token}`);
    const response = await fetch(url, { ...request, headers });
    if (response.headers.get("Content-Type")?.includes("json")) {
      follow(await response.clone().json(), JSON.parse(request.body).variables, session);
    }
    return response;
  }

  // Signed in when a root field hands out a token; signed out when the token that was sent is no longer good.
  function follow(answer, variables, session) {
    const signedIn = Object.values(answer.data ?? {}).find((field) => typeof field?.accessToken === "string");
    if (signedIn) {
      keep({ token: signedIn.accessToken, who: emailIn(signedIn) ?? emailIn(variables) });
    } else if (session && answer.errors?.some((error) => error.extensions?.code === "UNAUTHENTICATED")) {
      keep(null);
    }
  }

  function emailIn(value) {
    if (value === null || typeof value !== "object") return undefined;
    return typeof value.email === "string" ? value.email : Object.values(value).map(emailIn).find(Boolean);
  }

  // The session lasts as long as the browser's tab. React compares its text, so it is parsed only where it is read.
  const KEY = "comptoir:session";
  const changes = new EventTarget();

  function storedSession() {
    return sessionStorage.getItem(KEY);
  }

  function keep(session) {
    if (session) sessionStorage.setItem(KEY, JSON.stringify(session));
    else sessionStorage.removeItem(KEY);
    changes.dispatchEvent(new Event("change"));
  }

  function onSessionChange(listener) {
    changes.addEventListener("change", listener);
    return () => changes.removeEventListener("change", listener);
  }

  function parse(text) {
    return text === null ? null : JSON.parse(text);
  }

  start();
})();
