// The text of model entries: how a form writes it, and where its lines are.

/** Parses the entries of a text; null where it is not a list in JSON. */
export function parseEntries(text) {
  if (!text.trim()) return [];
  try {
    const entries = JSON.parse(text);
    return Array.isArray(entries) ? entries : null;
  } catch {
    return null;
  }
}

/** Writes entries with each key on a line. */
export function formatEntries(entries) {
  if (!entries.length) return "";
  const items = entries.map((entry) => {
    if (!isObject(entry)) return ` ${formatValue(entry)}`;
    const members = Object.entries(entry).map(([key, value]) => `  ${JSON.stringify(key)}: ${formatValue(value)}`);
    return ` {\n${members.join(",\n")}\n }`;
  });
  return `[\n${items.join(",\n")}\n]\n`;
}

function formatValue(value) {
  if (Array.isArray(value)) return `[${value.map(formatValue).join(", ")}]`;
  if (!isObject(value)) return JSON.stringify(value);
  return `{${Object.entries(value).map(([key, inner]) => `${JSON.stringify(key)}: ${formatValue(inner)}`).join(", ")}}`;
}

/** Puts a key into an entry, or removes it; keys are in the order of `keys`, unknown ones last. */
export function changeEntry(entry, keys, key, value) {
  const changed = { ...entry, [key]: value };
  const names = [...keys.filter((name) => name in changed), ...Object.keys(changed).filter((name) => !keys.includes(name))];
  return Object.fromEntries(names.map((name) => [name, changed[name]]).filter(([, given]) => given !== undefined));
}

/** Writes an object as lines `name: value`; a value that is not a text, or looks like one, as JSON. */
export function formatMembers(members) {
  const isPlain = isObject(members) && Object.keys(members).every((name) => name && name === name.trim() && !/[:\n]/.test(name));
  if (!isPlain) return JSON.stringify(members);
  return Object.entries(members).map(([name, value]) => `${name}: ${isPlainText(value) ? value : formatValue(value)}`).join("\n");
}

/** Reads what `formatMembers` writes. Throws a SyntaxError for a line without a colon. */
export function parseMembers(text) {
  if (text.trim().startsWith("{")) return JSON.parse(text);
  const lines = text.split("\n").filter((line) => line.trim());
  return Object.fromEntries(lines.map((line) => {
    const [, name, value] = /^\s*([^:：]+?)\s*[:：]\s*(.*?)\s*$/.exec(line) ?? [];
    if (name === undefined) throw new SyntaxError(line);
    return [name, readValue(value)];
  }));
}

function readValue(text) {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function isPlainText(value) {
  return typeof value === "string" && value === value.trim() && !value.includes("\n") && readValue(value) === value && value !== "";
}

export function isObject(value) {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Finds the start and end of a line, counted from 1. */
export function findLine(text, line) {
  const lines = text.split("\n");
  const start = lines.slice(0, line - 1).join("\n").length + (line > 1 ? 1 : 0);
  return [start, start + (lines[line - 1]?.length ?? 0)];
}
