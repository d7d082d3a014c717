import { UnStyledButton, useGraphiQLActions } from "@graphiql/react";
import { useEffect, useRef, useState } from "react";

// The key is kept for this browser tab alone. `#key=…` never reaches the server and leaves the
// address bar at once.
const given = new URLSearchParams(location.hash.slice(1)).get("key");
if (given !== null) {
  sessionStorage.setItem("key", given);
  history.replaceState(null, "", location.pathname);
}
window.addEventListener("hashchange", () => location.reload());

/** Sends the key, unless the headers editor holds one. */
export function fetchWithKey(url, options) {
  const headers = new Headers(options.headers);
  const key = sessionStorage.getItem("key");
  if (key && !headers.has("x-api-key") && !headers.has("authorization")) {
    headers.set("x-api-key", key);
  }
  return fetch(url, { ...options, headers });
}

export function ApiKey() {
  const { introspect } = useGraphiQLActions();
  const field = useRef(null);
  const [shown, setShown] = useState(false);

  // React would write the value into an attribute, and its onChange fires at every letter.
  useEffect(() => {
    const input = field.current;
    input.value = sessionStorage.getItem("key") ?? "";
    const keep = () => {
      sessionStorage.setItem("key", input.value.trim());
      introspect();
    };
    input.addEventListener("change", keep);
    return () => input.removeEventListener("change", keep);
  }, [introspect]);

  return (
    <div className="api-key">
      <label htmlFor="api-key">API key</label>
      <input
        id="api-key"
        ref={field}
        type={shown ? "text" : "password"}
        placeholder="rollcall_…"
        autoComplete="new-password" // with "off", browsers fill in a saved password
        autoCapitalize="off"
        spellCheck={false}
        onFocus={() => field.current.select()}
      />
      <UnStyledButton
        type="button"
        aria-label={shown ? "Hide API key" : "Show API key"}
        onClick={() => setShown(!shown)}
      >
        {shown ? "Hide" : "Show"}
      </UnStyledButton>
    </div>
  );
}
