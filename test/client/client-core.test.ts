import { setImmediate as turn } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { ClientCore } from '../../src/client/core/client-core.ts'
import { resolveClientOptions } from '../../src/client/core/options.ts'

test('a client with many queues waits for its end in many places, and Node does not warn of a leak', async () => {
  const core = new ClientCore({ options: resolveClientOptions({ namesrv: '127.0.0.1:1' }) })
  const warnings: Error[] = []
  const take = (warning: Error): unknown => warnings.push(warning)
  process.on('warning', take)
  try {
    for (let waiting = 0; waiting < 100; waiting++) core.closing.addEventListener('abort', () => undefined)
    await turn()
    expect(warnings).toEqual([])
  } finally {
    process.off('warning', take)
    core.close()
  }
})
