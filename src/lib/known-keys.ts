/**
 * The keys that an object a caller hands in may have. One that nobody reads is a mistake that would go unseen: who writes
 * `sendTimeout` for `sendTimeoutMs` gets the default.
 */
export type KnownKeys = ReadonlySet<string>

/** All keys of `Shape`: the compiler refuses a table that lacks one, or has another. */
export function knownKeys<Shape>(table: Readonly<Record<keyof Shape, true>>): KnownKeys {
  return new Set(Object.keys(table))
}

/** Why `given` is not what `owner` takes, in words that name the key; undefined when it is. */
export function shapeFault(given: unknown, owner: string, known: KnownKeys): string | undefined {
  if (typeof given !== 'object' || given === null) return `${owner} takes an object, not ${String(given)}`
  const unknown = Object.keys(given).find((key) => !known.has(key))
  return unknown === undefined ? undefined : unknownKeyFault(unknown, owner, known)
}

/** That `owner` has no such key, and which one was probably meant. */
export function unknownKeyFault(key: string, owner: string, known: KnownKeys): string {
  const meant = nearestName(key, known)
  return `${owner} has no ${key}${meant === undefined ? '' : `; did you mean ${meant}?`}`
}

const SHORTEST_PART = 3
const LONGEST_NAME = 64

/** The one of `names` that is part of `given` or has it as a part, or differs in a third of its letters at most. */
export function nearestName(given: string, names: Iterable<string>): string | undefined {
  if (given.length > LONGEST_NAME) return undefined
  const wanted = given.toLowerCase()
  let nearest: string | undefined
  let least = Number.POSITIVE_INFINITY
  for (const name of names) {
    const candidate = name.toLowerCase()
    const edits = editsBetween(wanted, candidate)
    const isPart =
      Math.min(wanted.length, candidate.length) >= SHORTEST_PART &&
      (wanted.includes(candidate) || candidate.includes(wanted))
    if ((isPart || edits <= Math.max(1, Math.floor(wanted.length / 3))) && edits < least) {
      nearest = name
      least = edits
    }
  }
  return nearest
}

/** Letters to insert, delete or replace (Levenshtein). */
function editsBetween(a: string, b: string): number {
  let above = Array.from({ length: b.length + 1 }, (_, at) => at)
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    for (let j = 1; j <= b.length; j++) {
      const replaced = (above[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1)
      row.push(Math.min(replaced, (above[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1))
    }
    above = row
  }
  return above[b.length] ?? 0
}
