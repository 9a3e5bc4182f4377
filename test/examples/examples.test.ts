import { readdirSync } from 'node:fs'
import process from 'node:process'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { startCluster, type Cluster } from '../../src/index.ts'

/** What each example prints, in any order. `raftmq/client` is the source here (vitest.config.ts). */
const printed: Readonly<Record<string, readonly string[]>> = {
  'batch.mjs': ['booked: bread, milk, salt', 'stored at: 0, 1, 2 behind the first'],
  'broadcast.mjs': ['kitchen: language=de', 'office: language=de'],
  'delay.mjs': ['delivered: at a time', 'delivered: in two seconds'],
  'filter.mjs': ['example-between: card 120', 'example-cash: cash 900'],
  'ordered.mjs': ['alice: emptied', 'alice: filled', 'alice: opened', 'bob: emptied', 'bob: filled', 'bob: opened'],
  'pop.mjs': ['done: dust', 'done: mop', 'done: sweep'],
  'pull.mjs': ['again: 21 °C', 'again: 22 °C', 'read: 20 °C', 'read: 21 °C', 'read: 22 °C'],
  'request.mjs': ['answered: HOW ARE YOU'],
  'shutdown.mjs': ['closed: 0 handlers were cut off', 'packed: 20 of 20'],
  'trace.mjs': [
    'handler began: example-couriers',
    'handler ended: example-couriers, well',
    'sent: example-senders, well',
  ],
  'transaction.mjs': ['paid: order-1'],
  'typed.mjs': ['booked: 12.5 CHF'],
}

const folder = new URL('../../examples/', import.meta.url)
let cluster: Cluster
beforeAll(async () => {
  cluster = await startCluster()
}, 60_000)
afterAll(() => cluster.close())

test('every example is run', () => {
  // A folder has dependencies of its own: it is run with the package installed (test/interop/scenarios/package.ts).
  const files = readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isFile())
  expect(files.map(({ name }) => name).sort()).toEqual(Object.keys(printed))
})

// What a run leaves behind, as a message that it gave back, the next one sees.
test.each(Object.entries(printed))(
  '%s does what it says, as often as it is run',
  { timeout: 60_000 },
  async (file, lines) => {
    for (const run of ['first', 'second']) expect((await linesOf(`${file}?${run}`)).toSorted()).toEqual(lines)
  },
)

test('ordered.mjs prints the steps of an account in order, as often as it is run', { timeout: 60_000 }, async () => {
  for (const run of ['third', 'fourth', 'fifth']) {
    const lines = await linesOf(`ordered.mjs?${run}`)
    for (const account of ['alice', 'bob']) {
      const steps = ['opened', 'filled', 'emptied'].map((step) => `${account}: ${step}`)
      expect(lines.filter((line) => line.startsWith(account))).toEqual(steps)
    }
  }
})

async function linesOf(example: string): Promise<readonly string[]> {
  const lines: string[] = []
  const log = vi.spyOn(console, 'log').mockImplementation((line: string) => void lines.push(line))
  const argument = process.argv[2]
  process.argv[2] = cluster.namesrv
  try {
    await import(new URL(example, folder).href)
  } finally {
    process.argv[2] = argument ?? ''
    log.mockRestore()
  }
  return lines
}
