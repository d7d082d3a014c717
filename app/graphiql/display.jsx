import { pick, useGraphiQL, useGraphiQLActions } from "@graphiql/react";
import { useEffect, useSyncExternalStore } from "react";

const NARROW = media("(max-width: 1000px)");
const DARK = media("(prefers-color-scheme: dark)");

function media(query) {
  const list = matchMedia(query);
  const subscribe = (changed) => {
    list.addEventListener("change", changed);
    return () => list.removeEventListener("change", changed);
  };
  return [subscribe, () => list.matches];
}

/** Long lines wrap. In a narrow window the letters are smaller, and no line is numbered. */
export function EditorOptions() {
  const editors = useGraphiQL(pick("queryEditor", "variableEditor", "headerEditor"));
  const answer = useGraphiQL((state) => state.responseEditor);
  const narrow = useSyncExternalStore(...NARROW);
  useEffect(() => {
    const options = { fontSize: narrow ? 13 : 15, folding: !narrow, wordWrap: "on" };
    answer?.updateOptions(options);
    for (const editor of Object.values(editors)) {
      editor?.updateOptions({ ...options, lineNumbers: narrow ? "off" : "on" });
    }
  }, [editors, answer, narrow]);
  return null;
}

/** GraphiQL asks for the system's preference once; later its editors keep their colours. */
export function SystemTheme() {
  const theme = useGraphiQL((state) => state.theme);
  const { setTheme } = useGraphiQLActions();
  const dark = useSyncExternalStore(...DARK);
  useEffect(() => {
    if (theme === null) setTheme(null);
  }, [dark, theme, setTheme]);
  return null;
}
