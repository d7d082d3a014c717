const HISTORY = ["graphiql:queries", "graphiql:favorites"];

/** localStorage, but GraphiQL's history keeps no headers, since one of them may be a key. */
export const storage = {
  getItem: (name) => localStorage.getItem(name),
  setItem(name, value) {
    localStorage.setItem(name, HISTORY.includes(name) ? withoutHeaders(value) : value);
  },
  removeItem: (name) => localStorage.removeItem(name),
  clear() {
    const names = Object.keys(localStorage).filter((name) => name.startsWith("graphiql:"));
    names.forEach(storage.removeItem);
  },
  get length() {
    return localStorage.length;
  },
};

const withoutHeaders = (history) =>
  JSON.stringify(JSON.parse(history), (name, value) => (name === "headers" ? undefined : value));
