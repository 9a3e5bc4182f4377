/** Bodies that tell what they should be: an id with the body's length in it, and what only this message has behind it. */
import { Violation } from '../world/violation.ts'

/** `m12x200`: the twelfth message of its workload, of 200 bytes. */
export function idFor(workload: string, number: number, bytes: number): string {
  return `${workload}${number}x${bytes}`
}

/** How long the body of that message is. */
export function bytesOf(id: string): number {
  return Number(id.slice(id.lastIndexOf('x') + 1))
}

export function bodyOf(id: string): Buffer {
  const bytes = bytesOf(id)
  return Buffer.from(`${id} ${id.repeat(bytes)}`.slice(0, bytes))
}

/** Throws when the body is not that of the message it names. */
export function idOf(body: Buffer): string {
  const text = body.toString()
  const id = text.slice(0, text.indexOf(' '))
  if (!/^[a-z]+\d+x\d+$/.test(id) || !bodyOf(id).equals(body)) {
    throw new Violation('content', `a body is not what was sent: ${text}`)
  }
  return id
}
