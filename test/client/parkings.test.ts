import { describe, expect, test } from 'vitest'
import { Parkings } from '../../src/client/producer/parkings.ts'
import { BackOff } from '../../src/client/producer/send-retry.ts'
import { Send } from '../../src/client/producer/send.ts'
import { ManualClock } from '../support/manual-clock.ts'

const request = {
  topic: 'T',
  messageId: '',
  messages: 1,
  body: Buffer.alloc(0),
  properties: '',
  sysFlag: 0,
  flag: 0,
  isBatch: false,
  isGathered: false,
  choice: undefined,
  bornMs: 0,
}

/** Its place in the order, and until when it is paused. */
function send(order: number, untilMs = 0): Send {
  const made = new Send(request, { startMs: 0, deadlineMs: 10_000 + order, order }, () => undefined)
  made.backOff = new BackOff()
  made.backOff.untilMs = untilMs
  return made
}

interface Setup {
  readonly clock: ManualClock
  readonly parkings: Parkings<string>
  readonly gone: (readonly [order: number, atMs: number])[]
  readonly asked: string[]
}

function setup(): Setup {
  const clock = new ManualClock()
  const gone: (readonly [number, number])[] = []
  const asked: string[] = []
  const parkings = new Parkings<string>({
    clock,
    closing: new AbortController().signal,
    refresh: (topic) => {
      asked.push(topic)
      return Promise.resolve(undefined)
    },
    goOn: ({ order }) => gone.push([order, clock.monotonicMs()]),
    failed: () => undefined,
  })
  return { clock, parkings, gone, asked }
}

/** Lets what was resolved go on. */
const settled = async (): Promise<void> => {
  for (let n = 0; n < 5; n++) await Promise.resolve()
}

async function pass(clock: ManualClock, byMs: number): Promise<void> {
  clock.advance(byMs)
  await settled()
}

describe('parked sends', () => {
  test('of one topic go on together in the order in which they were sent, once its route was asked for', async () => {
    const { parkings, gone, asked } = setup()
    parkings.add(send(2), true)
    parkings.add(send(1), true)
    await settled()
    expect(asked).toEqual(['T'])
    expect(gone.map(([order]) => order)).toEqual([1, 2])
  })

  test('are looked at when the first of them may go on, and not in between', async () => {
    const { clock, parkings, gone } = setup()
    parkings.add(send(1, 900), false)
    parkings.add(send(2, 1_500), false)
    await pass(clock, 899)
    expect(gone).toEqual([])
    await pass(clock, 1)
    await pass(clock, 600)
    expect(gone).toEqual([
      [1, 900],
      [2, 1_500],
    ])
  })

  test('do not make one wait that is parked later and may go on earlier', async () => {
    const { clock, parkings, gone } = setup()
    parkings.add(send(1, 2_000), false)
    await pass(clock, 100)
    parkings.add(send(2, 200), false)
    await pass(clock, 100)
    expect(gone).toEqual([[2, 200]])
  })

  test('say whose time is over first, until they are taken', () => {
    const { parkings } = setup()
    expect(parkings.firstDeadlineMs).toBe(Number.POSITIVE_INFINITY)
    for (const order of [3, 1, 2]) parkings.add(send(order, 5_000), false)
    expect(parkings.firstDeadlineMs).toBe(10_001)
    expect(parkings.take(({ order }) => order === 1)).toHaveLength(1)
    expect(parkings.firstDeadlineMs).toBe(10_002)
  })
})
