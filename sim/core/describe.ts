import type { Envelope } from '../../src/raft/ports.ts'

/** A message in one line. */
export function describe({ message, payload }: Envelope): string {
  const { type, from, to, term, ...rest } = message
  const fields = Object.entries(rest).map(([name, value]) => {
    return `${name} ${typeof value === 'object' ? JSON.stringify(value) : String(value)}`
  })
  const bytes = payload.reduce((sum, part) => sum + part.byteLength, 0)
  return `${from} > ${to} ${type} term ${term}${fields.length > 0 ? `, ${fields.join(', ')}` : ''}${bytes > 0 ? `, ${bytes} bytes` : ''}`
}
