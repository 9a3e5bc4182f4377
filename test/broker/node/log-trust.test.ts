import { expect, test } from 'vitest'
import { LogTrust } from '../../../src/broker/node/log-trust.ts'
import { silentLog } from '../../../src/lib/log.ts'
import type { HardStateFields } from '../../../src/store/hard-state.ts'

function remembered(trust: { readonly isSameBoot: boolean; readonly isInDoubt: boolean }): {
  logTrust: LogTrust
  steps: string[]
} {
  const steps: string[] = []
  const hardState = {
    value: { term: 3, vote: 'n1', trusted: true },
    save(value: HardStateFields) {
      steps.push(`saves ${JSON.stringify(value)}`)
      return Promise.resolve()
    },
  }
  const file = {
    isSameBoot: trust.isSameBoot,
    isInDoubt: () => trust.isInDoubt,
    endUnsynced() {
      steps.push('forgets')
      return Promise.resolve()
    },
  }
  return { logTrust: new LogTrust({ trust: file, hardState, log: silentLog }), steps }
}

const DOUBT = 'saves {"term":3,"vote":"n1","trusted":false}'

test.each([
  ['unwritten', true, [DOUBT]],
  ['unwritten', false, []],
  ['rot', true, [DOUBT]],
  ['rot', false, [DOUBT]],
] as const)(
  'an end of the log that is %s, in the same boot of the machine %s, puts it in doubt: %j',
  async (...row) => {
    const [damage, isSameBoot, saved] = row
    const { logTrust, steps } = remembered({ isSameBoot, isInDoubt: false })
    await logTrust.tailIsDamaged(damage)
    expect(steps).toEqual(saved)
  },
)

test('the trust file forgets only what the hard state remembers', async () => {
  const { logTrust, steps } = remembered({ isSameBoot: false, isInDoubt: true })
  await logTrust.opened('unclean')
  expect(steps).toEqual([DOUBT, 'forgets'])
})
