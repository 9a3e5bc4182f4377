import { expect, test } from 'vitest'
import { FlushSwitch } from '../../../src/broker/log/flush-switch.ts'
import { deferred, type Deferred } from '../../../src/lib/deferred.ts'

function setup(): { readonly flush: FlushSwitch; readonly did: string[]; readonly next: () => Promise<void> } {
  const did: string[] = []
  const waiting: Deferred<void>[] = []
  const step = (name: string): Promise<void> => {
    did.push(name)
    const done = deferred<void>()
    waiting.push(done)
    return done.promise
  }
  const flush = new FlushSwitch({
    log: { setFlushMode: (mode) => did.push(mode), flush: () => step('flush') },
    trust: { beginUnsynced: () => step('unsynced'), endUnsynced: () => step('synced') },
    fatal: (error) => did.push(`fatal: ${error.message}`),
  })
  const next = async (): Promise<void> => {
    waiting.shift()?.resolve()
    for (let round = 0; round < 5; round++) await Promise.resolve()
  }
  return { flush, did, next }
}

test('async flush begins once the trust file knows; sync flush at once, and the file forgets after a flush', async () => {
  const { flush, did, next } = setup()
  flush.set(false)
  expect(did).toEqual(['unsynced'])
  await next()
  expect(did).toEqual(['unsynced', 'async'])
  flush.set(true)
  await next()
  expect(did).toEqual(['unsynced', 'async', 'sync', 'flush', 'synced'])
  await next()
  await flush.settled()
})

test('who changes his mind meanwhile gets what he wants last, and nothing is forgotten too early', async () => {
  const { flush, did, next } = setup()
  flush.set(false)
  flush.set(true)
  await next()
  expect(did).toEqual(['unsynced', 'sync', 'flush'])
  flush.set(false)
  await next()
  expect(did).toEqual(['unsynced', 'sync', 'flush', 'unsynced'])
  await next()
  expect(did.at(-1)).toBe('async')
  await flush.settled()
})
