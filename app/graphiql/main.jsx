import "graphiql/setup-workers/vite";
import "graphiql/style.css";
import "./main.css";

import { createGraphiQLFetcher } from "@graphiql/toolkit";
import { GraphiQL } from "graphiql";
import { createRoot } from "react-dom/client";

import { ApiKey, fetchWithKey } from "./api-key.jsx";
import { EditorOptions, SystemTheme } from "./display.jsx";
import firstTab from "./first-tab.graphql?raw";
import { storage } from "./storage.js";

const fetcher = createGraphiQLFetcher({ url: "../graphql", fetch: fetchWithKey });

createRoot(document.getElementById("root")).render(
  <GraphiQL
    fetcher={fetcher}
    storage={storage}
    defaultQuery={firstTab}
    defaultEditorToolsVisibility={false}
    shouldPersistHeaders={false}
    showPersistHeadersSettings={false}
  >
    <GraphiQL.Logo>
      <ApiKey />
    </GraphiQL.Logo>
    <EditorOptions />
    <SystemTheme />
  </GraphiQL>,
);
