import { describe, expect, test } from 'vitest'
import { type Cluster, startCluster } from '../../src/index.ts'
import { PopConsumer, Producer, type ReceivedMessage, tag } from '../../src/client/index.ts'
import { until } from '../support/until.ts'
import { opened } from '../support/open.ts'

async function withProducer(nodes: number): Promise<{ of: Cluster; producer: Producer }> {
  const of = opened(await startCluster({ nodes }))
  const producer = opened(new Producer({ namesrv: of.namesrv, group: 'p' }))
  await producer.start()
  return { of, producer }
}

const bodyOf = (message: ReceivedMessage): string => message.body.toString()

describe('a pop consumer', () => {
  test('takes every message once, with others, and those it failed at again', { timeout: 60_000 }, async () => {
    const { of, producer } = await withProducer(1)
    const bodies = Array.from({ length: 60 }, (_, at) => `m${at}`)
    for (const body of bodies) await producer.send({ topic: 'T', body, tag: body === 'm7' ? 'other' : 'wanted' })
    const taken: string[] = []
    const options = { namesrv: of.namesrv, group: 'g', from: 'first', pollMs: 500 } as const
    let failures = 0
    for (let member = 0; member < 2; member++) {
      const consumer = opened(new PopConsumer(options))
      consumer.subscribe('T', tag('wanted'))
      await consumer.run(async (message, context) => {
        if (bodyOf(message) === 'm3' && context.deliveries === 0) {
          failures++
          throw new Error('not now')
        }
        if (bodyOf(message) === 'm4') await context.extend(120_000)
        taken.push(bodyOf(message))
      })
    }
    await until('all but the failed one', () => taken.length >= 58)
    expect(failures).toBe(1)
    await until('the failed one', () => taken.includes('m3'), 20_000)
    expect(taken.toSorted()).toEqual(bodies.filter((body) => body !== 'm7').toSorted())
  })

  test('in order waits for each queue’s acknowledgements, and goes on after the leader is killed', {
    timeout: 60_000,
  }, async () => {
    const { of, producer } = await withProducer(3)
    const send = async (stem: string): Promise<void> => {
      for (let at = 0; at < 20; at++) await producer.send({ topic: 'O', body: `${stem}${at}`, shardingKey: 'one' })
    }
    await send('a')
    const taken: string[] = []
    const consumer = opened(
      new PopConsumer({ namesrv: of.namesrv, group: 'o', from: 'first', ordered: true, pollMs: 500, popBatch: 4 }),
    )
    consumer.subscribe('O')
    await consumer.run((message) => taken.push(bodyOf(message)))
    await until('the first twenty', () => taken.length >= 20)
    of.kill(of.leader() ?? of.nodes[0] ?? expect.unreachable())
    await send('b')
    await until('forty', () => new Set(taken).size >= 40)
    const firsts = taken.filter((body, at) => taken.indexOf(body) === at)
    const wanted = ['a', 'b'].flatMap((stem) => Array.from({ length: 20 }, (_, at) => `${stem}${at}`))
    expect(firsts).toEqual(wanted)
  })
})
