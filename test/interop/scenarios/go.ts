/** RocketMQ's Go client, over the remoting protocol. */
import assert from 'node:assert/strict'
import { runGoClient, whyNoGo } from '../support/go-client.ts'
import { parseJson } from '../support/json.ts'
import type { Scenario } from '../support/scenario.ts'

const COUNT = 30
const missing = await whyNoGo()

/** What test/interop/go prints. */
interface Report {
  readonly sync: readonly { status: number; msgId: string; offsetMsgId: string; queueId: number; queueOffset: number }[]
  readonly async: number
  readonly received: readonly string[]
  readonly tagged: readonly string[]
  readonly retried: readonly number[]
  readonly ordered: readonly (readonly string[])[]
  readonly delayedMs: number
  readonly states: readonly string[]
  readonly transactions: readonly string[]
  readonly asked: readonly string[]
}

const numbered = (stem: string): string[] => Array.from({ length: COUNT }, (_, at) => `${stem}-${at}`)

export const go: readonly Scenario[] = [
  {
    name: 'the Go client: sync, async, one-way, tags, ordered, retries, delays, transactions with check-back',
    skip: () => missing,
    timeoutMs: 240_000,
    async run(context) {
      const printed = await runGoClient(
        context.target.namesrv,
        context.name('go'),
        context.name('go-group'),
        String(COUNT),
      )
      const report = parseJson<Report>(printed)
      assert.ok(report.sync.every(({ status }) => status === 0))
      assert.equal(new Set(report.sync.map(({ queueId, queueOffset }) => `${queueId}@${queueOffset}`)).size, COUNT)
      assert.equal(new Set(report.sync.map(({ offsetMsgId }) => offsetMsgId)).size, COUNT)
      assert.equal(report.async, COUNT)
      const all = [...numbered('sync'), ...numbered('async'), ...numbered('oneway')]
      assert.deepEqual([...report.received].sort(), all.toSorted())
      assert.deepEqual(
        [...report.tagged].sort(),
        numbered('sync')
          .filter((_, at) => at % 2 === 0)
          .toSorted(),
      )
      assert.deepEqual(report.retried, [0, 1])
      const shards = report.ordered.map((bodies) => bodies.map((body) => Number(body.split('-')[1])))
      for (const [shard, steps] of shards.entries()) {
        assert.deepEqual(
          steps,
          Array.from({ length: COUNT / 3 }, (_, at) => at * 3 + shard),
          `shard ${shard}`,
        )
      }
      assert.ok(report.delayedMs >= 5_000 && report.delayedMs < 8_000, `${report.delayedMs} ms`)
      assert.deepEqual([...report.transactions].sort(), ['commit', 'unknown'])
      assert.deepEqual(report.asked, ['unknown'])
      context.note(`${report.received.length} messages, delayed by ${report.delayedMs} ms`)
    },
  },
]
