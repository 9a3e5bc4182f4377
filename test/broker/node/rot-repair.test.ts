import { expect, test } from 'vitest'
import { RotRepair } from '../../../src/broker/log/rot-repair.ts'
import { present } from '../../../src/lib/assert.ts'
import { silentLog } from '../../../src/lib/log.ts'
import type { ServiceHandler } from '../../../src/broker/peers/peers.ts'
import type { BadRange } from '../../../src/store/bad-ranges.ts'
import { ManualClock } from '../../support/manual-clock.ts'

const range = (first: number, last: number): BadRange => ({ offset: first * 100, end: (last + 1) * 100, first, last })

/** A node whose entries 3, 4 and 50 are damaged, and whose commit is 49; the peer n2 has 3 and 4. */
function damaged(voters: readonly string[]): {
  readonly repair: RotRepair
  readonly bad: { ranges: readonly BadRange[] }
  readonly unfit: readonly unknown[]
  readonly stuck: readonly boolean[]
  readonly applied: { index: number }
  readonly asked: string[]
  /** What it answers to a peer that asks for entries. */
  readonly give: (wanted: unknown) => ReturnType<ServiceHandler>
} {
  const bad: { ranges: readonly BadRange[] } = { ranges: [range(3, 4), range(50, 50)] }
  const unfit: unknown[] = []
  const stuck: boolean[] = []
  const applied = { index: 49 }
  const asked: string[] = []
  const handler: { current: ServiceHandler | undefined } = { current: undefined }
  const repair = new RotRepair({
    log: {
      end: { index: 50 },
      badRanges: () => bad.ranges,
      read: (first, last) => ({ first, last, bytes: [] }),
      repairEntries: ({ first }) => {
        bad.ranges = bad.ranges.filter((one) => one.first !== first)
        return Promise.resolve()
      },
    },
    peers: {
      ids: ['n1', 'n2'],
      handle: (_method, serve) => {
        handler.current = serve
      },
      ask: (peer, _method, wanted) => {
        const text = JSON.stringify(wanted)
        asked.push(`${peer} ${text}`)
        return peer === 'n2' && text === '{"first":3,"last":4}'
          ? Promise.resolve({ meta: { first: 3, last: 4 }, payload: Buffer.alloc(0) })
          : Promise.reject(new Error('not here'))
      },
    },
    replica: {
      status: () => ({ appliedIndex: applied.index, commitIndex: 49, members: { voters } }),
      setFitness: ({ damagedFrom, cannotApply }) => {
        unfit.push(damagedFrom)
        stuck.push(cannotApply)
      },
    },
    clock: new ManualClock(),
    logger: silentLog,
  })
  return {
    repair,
    bad,
    unfit,
    stuck,
    applied,
    asked,
    give: (wanted) => present(handler.current, 'handler')('n1', wanted, Buffer.alloc(0)),
  }
}

test('a node that no peer gives what is damaged behind the commit is unfit to lead, until its log was cut there', async () => {
  const { repair, bad, unfit, asked } = damaged(['n0', 'n1', 'n2'])
  await repair.run()
  const [three, fifty] = ['{"first":3,"last":4}', '{"first":50,"last":50}']
  expect(asked).toEqual([`n1 ${three}`, `n2 ${three}`, `n1 ${fifty}`, `n2 ${fifty}`])
  expect(unfit).toEqual([50])
  bad.ranges = []
  await repair.run()
  expect(unfit).toEqual([50, undefined])
  repair.close()
})

test('a node is unfit to lead while committed entries that it has yet to apply are damaged, and no peer gives them', async () => {
  const { repair, bad, stuck, applied } = damaged(['n0', 'n1', 'n2'])
  bad.ranges = [range(7, 8)]
  await repair.run()
  applied.index = 6
  await repair.run()
  bad.ranges = []
  await repair.run()
  expect(stuck).toEqual([false, true, false])
  repair.close()
})

test('a node that is asked for entries behind the end of its log gives those up to it', async () => {
  const { give } = damaged(['n0', 'n1', 'n2'])
  expect((await give({ first: 49, last: 60 })).meta).toEqual({ first: 49, last: 50 })
  await expect(give({ first: 51, last: 60 })).rejects.toThrow('entries 51 to 60 are not here')
})

test('the only voter leads with what it has', async () => {
  const { repair, unfit } = damaged(['n0'])
  await repair.run()
  expect(unfit).toEqual([undefined])
  repair.close()
})
