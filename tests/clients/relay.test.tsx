import assert from "node:assert/strict";
import { after, test } from "node:test";
import { Window } from "happy-dom";
import { Suspense } from "react";
import { createRoot } from "react-dom/client";
import { RelayEnvironmentProvider } from "react-relay";
import { Contacts } from "./Contacts";
import { UpsertContact } from "./documents";
import { createClient } from "./graphql-request";
import { createEnvironment } from "./relay";
import { key, page, push, url } from "./setup";

const window = new Window();
const { document, FormData } = window;
Object.assign(globalThis, { window, document, FormData });
after(() => window.happyDOM.close());

const list = globalThis.document.createElement("main");
const names = () => [...list.querySelectorAll("b")].map((name) => name.textContent);

const click = (button: string, row = 0) =>
  list.querySelectorAll<HTMLButtonElement>(`button[name=${button}]`)[row].click();

function save(values: Record<string, string>) {
  const form = list.querySelector("form")!;
  for (const [name, value] of Object.entries(values)) {
    form.querySelector<HTMLInputElement>(`[name=${name}]`)!.value = value;
  }
  form.requestSubmit();
}

/** Returns when the list is as described. */
const until = (isSo: () => boolean) =>
  new Promise<void>((resolve) => {
    const look = () => isSo() && resolve();
    const everything = { childList: true, characterData: true, subtree: true };
    new window.MutationObserver(look).observe(list as never, everything);
    look();
  });

const shows = (...wanted: string[]) => until(() => String(names()) === String(wanted));

const limit = { timeout: 30_000 };

test("the list shows pages, a fetched update, saved contacts and a deletion", limit, async () => {
  await push("relay");
  const root = createRoot(list);
  root.render(
    <RelayEnvironmentProvider environment={createEnvironment(url, key)}>
      <Suspense>
        <Contacts filter={page("relay").filter} />
      </Suspense>
    </RelayEnvironmentProvider>,
  );
  await shows("third", "second");
  click("more");
  await shows("third", "second", "first");

  const input = { externalId: "relay-third", name: "renamed" };
  await createClient(url, key).request(UpsertContact, { input });
  click("refresh");
  await shows("renamed", "second", "first");

  const fourth = { externalId: "relay-fourth", email: "relay.fourth@example.com" };
  save({ ...fourth, name: "fourth" });
  await shows("fourth", "renamed", "second", "first");
  save({ ...fourth, name: "" });
  await shows("relay.fourth@example.com", "renamed", "second", "first");
  save({ ...fourth, email: "relay.first@example.com" });
  await until(() => /^Another contact has email/.test(list.querySelector("output")!.textContent));

  click("delete", 2);
  await shows("relay.fourth@example.com", "renamed", "first");
  root.unmount();
});
