/** Java `.properties` texts, with the line of every key kept for messages to the person who wrote the file. */
import { escapeKey, escapeValue } from 'properties-file/escape'
import { Properties as ParsedProperties } from 'properties-file/parser'

export interface PropertyEntry {
  readonly key: string
  /** Without the white space around it: Java keeps what stands at the end, and then reads no number from it. */
  readonly value: string
  /** From 1; 0 for what was said on the command line instead. */
  readonly line: number
}

/** A file's entries in order of appearance, each key once: the last one wins, as in Java. */
export interface Properties {
  /** Where they came from, for messages. */
  readonly source: string
  readonly entries: readonly PropertyEntry[]
}

/**
 * Reads `text` by the rules of `java.util.Properties.load`.
 * @throws an `Error` for a malformed `\u` escape.
 */
export function parseProperties(text: string, source: string): Properties {
  const byKey = new Map<string, PropertyEntry>()
  for (const node of new ParsedProperties(text).getProperties()) {
    byKey.delete(node.key)
    byKey.set(node.key, { key: node.key, value: node.value.trim(), line: node.startingLineNumber })
  }
  return { source, entries: [...byKey.values()] }
}

/** `properties` where `value` of the command line wins over what stands under `key`. */
export function override(properties: Properties, key: string, value: string): Properties {
  const others = properties.entries.filter((entry) => entry.key !== key)
  return { source: properties.source, entries: [...others, { key, value: value.trim(), line: 0 }] }
}

/** A text that `parseProperties` and Java read as `pairs`, one line each; `comment` leads it. */
export function formatProperties(pairs: Iterable<readonly [key: string, value: string]>, comment = ''): string {
  const head = comment === '' ? [] : comment.split('\n').map((line) => `# ${line}`)
  const lines = [...pairs].map(([key, value]) => `${escapeKey(key)}=${escapeValue(value)}`)
  return `${[...head, ...lines].join('\n')}\n`
}
