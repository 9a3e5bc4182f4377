/** What a test opened is closed behind it, the last one first. */
import { afterEach } from 'vitest'

interface Closable {
  close(): unknown
}

const open: Closable[] = []

afterEach(async () => {
  for (const one of open.splice(0).toReversed()) await one.close()
})

/** `one`, which is closed when the test is over. */
export function opened<One extends Closable>(one: One): One {
  open.push(one)
  return one
}
