import "graphiql/setup-workers/vite";
import "graphiql/style.css";
import "./main.css";

import { useGraphiQL } from "@graphiql/react";
import { createGraphiQLFetcher } from "@graphiql/toolkit";
import { GraphiQL } from "graphiql";
import { useEffect, useState } from "react";
import { createRoot } from "react-dom/client";

import firstTab from "./first-tab.graphql?raw";

// `#key=…` never reaches the server. It leaves the address bar at once and is kept for this
// browser tab alone; GraphiQL's own setting keeps headers for longer, for who wants that.
const given = new URLSearchParams(location.hash.slice(1)).get("key");
if (given !== null) {
  sessionStorage.setItem("key", given);
  history.replaceState(null, "", location.pathname);
}
window.addEventListener("hashchange", () => location.reload());

const headers = JSON.stringify({ "x-api-key": sessionStorage.getItem("key") ?? "" }, null, 2);
const persistHeaders = localStorage.getItem("graphiql:shouldPersistHeaders") === "true";
const fetcher = createGraphiQLFetcher({ url: "../graphql" });

function Logo({ setSchema }) {
  const headerEditor = useGraphiQL((state) => state.headerEditor);
  useEffect(() => {
    if (headerEditor) setSchema(undefined);
  }, [headerEditor, setSchema]);
  return "Rollcall";
}

function Page() {
  // Left alone, GraphiQL asks for the schema before its header editor stands, so without the
  // key. Null holds it back; undefined lets it ask.
  const [schema, setSchema] = useState(null);
  return (
    <GraphiQL
      fetcher={fetcher}
      schema={schema}
      defaultQuery={firstTab}
      defaultHeaders={headers}
      // A key just given beats the headers that an earlier visit has kept.
      initialHeaders={given === null ? undefined : headers}
      defaultEditorToolsVisibility="headers"
      shouldPersistHeaders={persistHeaders}
      showPersistHeadersSettings
    >
      <GraphiQL.Logo>
        <Logo setSchema={setSchema} />
      </GraphiQL.Logo>
    </GraphiQL>
  );
}

createRoot(document.getElementById("root")).render(<Page />);
