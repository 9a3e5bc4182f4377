/** The outbox by itself: how it ends. What leaves when is in the scripts. */
import { expect, test } from 'vitest'
import { deferred, type Deferred } from '../../src/lib/deferred.ts'
import { Outbox } from '../../src/raft/outbox.ts'

interface Opened {
  readonly outbox: Outbox
  readonly save: Deferred<void>
  readonly sync: Deferred<void>
  readonly fatal: unknown[]
}

/** With one save and one sync under way. */
function busy(): Opened {
  const save = deferred<void>()
  const sync = deferred<void>()
  const fatal: unknown[] = []
  const outbox = new Outbox({
    stableStore: {
      load: () => ({ term: 0, vote: null, filled: false, trusted: true, clusterId: null }),
      save: () => save.promise,
    },
    syncLog: () => sync.promise,
    send: () => undefined,
    stable: () => undefined,
    released: () => undefined,
    fatal: (error) => fatal.push(error),
  })
  const hardState = { term: 1, vote: null, filled: true, trusted: true, clusterId: null }
  outbox.put({ hardState, messages: [], afterStable: [], lastIndex: 1 }, true)
  return { outbox, save, sync, fatal }
}

test('closing waits for what is under way, and is not held up by its failure', async () => {
  const { outbox, save, sync, fatal } = busy()
  let isClosed = false
  const closed = outbox.close().then(() => (isClosed = true))
  save.reject(new Error('no save'))
  await Promise.resolve()
  await Promise.resolve()
  expect(isClosed).toBe(false)
  sync.reject(new Error('no sync'))
  await closed
  expect(fatal.map(String)).toEqual(['Error: no save', 'Error: no sync'])
})
