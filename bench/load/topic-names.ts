/** `NAME*N` → `NAME-0` … `NAME-(N-1)`; a name alone is itself. Pure. */
export function topicNames(pattern: string): readonly string[] {
  const [, name, count] = /^(.*)\*(\d+)$/.exec(pattern) ?? []
  if (name === undefined) return [pattern]
  return Array.from({ length: Number(count) }, (_, at) => `${name}-${at}`)
}
