/** The `.properties` file of a server, as a person gave it: read, and refused where it is something else. */
import { readFileSync } from 'node:fs'
import { parseProperties, type Properties, type PropertyEntry } from '../lib/properties.ts'

/** Longer keys are nobody's, and are quoted in messages. */
const KEY_CHARS_MAX = 60

/** @throws what the system says, with the path, or why `path` cannot be meant. `isKnown`: whether any server has the key. */
export function readPropertiesFile(path: string, isKnown: (key: string) => boolean): Properties {
  const text = textOf(readBytes(path), path)
  const { source, entries } = parseProperties(text, path)
  if (entries.length > 0 && !entries.some(({ key }) => isKnown(key))) {
    const { key = '', line = 0 } = entries.map(shortened)[0] ?? {}
    throw notMeant(path, `no key in it is known; the first, in line ${line}, is ${JSON.stringify(key)}`)
  }
  return { source, entries: entries.map(shortened) }
}

function readBytes(path: string): Buffer {
  try {
    return readFileSync(path)
  } catch (error) {
    // Reading a folder fails after it was opened, where the system does not know the path any more.
    throw error instanceof Error && !('path' in error) ? Object.assign(error, { path }) : error
  }
}

function textOf(bytes: Buffer, path: string): string {
  if (bytes.includes(0)) throw notMeant(path, 'it has a byte 0')
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch (error) {
    throw notMeant(path, 'it is not UTF-8 text', error)
  }
}

function shortened(entry: PropertyEntry): PropertyEntry {
  return entry.key.length > KEY_CHARS_MAX ? { ...entry, key: `${entry.key.slice(0, KEY_CHARS_MAX)}…` } : entry
}

function notMeant(path: string, why: string, cause?: unknown): Error {
  return new Error(`${path} is not a .properties file of a server: ${why}`, { cause })
}
