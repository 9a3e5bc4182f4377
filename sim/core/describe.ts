import type { Envelope } from '../../src/raft/ports.ts'

/** A message in one line. */
export function describe({ message, payload }: Envelope): string {
  const { type, from, to, term, ...rest } = message
  // Said only where it is less than the usual: a script that has nothing to do with flushing does not speak of it.
  const isUsual = (name: string, value: unknown): boolean =>
    name === 'durable' && (value === true || value === Reflect.get(rest, 'match'))
  const spoken = Object.entries(rest).filter(([name, value]) => !isUsual(name, value))
  const fields = spoken.map(([name, value]) => {
    return `${name} ${typeof value === 'object' ? JSON.stringify(value) : String(value)}`
  })
  const bytes = payload.reduce((sum, part) => sum + part.byteLength, 0)
  return `${from} > ${to} ${type} term ${term}${fields.length > 0 ? `, ${fields.join(', ')}` : ''}${bytes > 0 ? `, ${bytes} bytes` : ''}`
}
