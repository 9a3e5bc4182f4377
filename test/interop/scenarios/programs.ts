import assert from 'node:assert/strict'
import { rmSync } from 'node:fs'
import { linesOf, runJava, startJava, stop } from '../support/java.ts'
import { classPath } from '../support/maven.ts'
import { runAliOns } from '../support/npm-client.ts'
import { temporaryFolder } from '../support/places.ts'
import { pause, type Scenario, until } from '../support/scenario.ts'
import { parseJson } from '../support/json.ts'

const example = 'org.apache.rocketmq.example'

export const programs: readonly Scenario[] = [
  {
    name: 'quickstart Producer and Consumer, as the tutorial runs them',
    async run({ target }) {
      const home = temporaryFolder('quickstart')
      const jars = await classPath('client-5.5')
      const environment = { NAMESRV_ADDR: target.namesrv }
      try {
        const produced = await runJava(
          { classPath: jars, main: `${example}.quickstart.Producer`, environment, home },
          60_000,
        )
        assert.equal(produced.code, 0, produced.stdout.slice(-2_000) + produced.stderr.slice(-2_000))
        assert.equal(produced.stdout.match(/sendStatus=SEND_OK/g)?.length, 1_000)
        const consumer = startJava({ classPath: jars, main: `${example}.quickstart.Consumer`, environment, home })
        let taken = 0
        linesOf(consumer, (line) => (taken += line.includes('Receive New Messages') ? 1 : 0))
        try {
          await until(
            '1,000 messages',
            () => taken >= 1_000,
            () => taken,
            60_000,
          )
        } finally {
          await stop(consumer)
        }
      } finally {
        rmSync(home, { recursive: true, force: true })
      }
    },
  },
  {
    name: 'benchmark Producer and Consumer, with their binary headers',
    timeoutMs: 120_000,
    async run(context) {
      const home = temporaryFolder('benchmark')
      const jars = await classPath('client-5.5')
      const namesrv = ['-n', context.target.namesrv]
      const topic = 'BenchmarkTest'
      const consumer = startJava({
        classPath: jars,
        main: `${example}.benchmark.Consumer`,
        arguments: [...namesrv, '-t', topic, '-g', context.name('benchmark'), '-ri', '1000'],
        home,
      })
      const reports: string[] = []
      linesOf(consumer, (line) => reports.push(line))
      try {
        await pause(3_000)
        const producer = await runJava(
          {
            classPath: jars,
            main: `${example}.benchmark.Producer`,
            arguments: [...namesrv, '-t', topic, '-w', '16', '-s', '128', '-q', '20000', '-ri', '1000'],
            home,
          },
          90_000,
        )
        const said = producer.stdout
        assert.equal(producer.code, 0, said.slice(-2_000) + producer.stderr.slice(-2_000))
        const complete = said.split('\n').find((line) => line.includes('[Complete]')) ?? ''
        assert.match(complete, /Send Total: 20000 .*Send Failed: 0 .*Response Failed: 0/)
        context.note(complete.trim())
        const taken = (): number => Math.max(0, ...reports.map((line) => Number(/TPS: (\d+)/.exec(line)?.[1] ?? 0)))
        await until(
          'a report of messages taken',
          () => taken() > 0,
          () => reports,
          30_000,
        )
        context.note(`consumer: up to ${taken()}/s over ten seconds`)
        assert.ok(
          reports.every((line) => !/Consume Fail: [1-9]/.test(line)),
          reports.join('\n'),
        )
      } finally {
        await stop(consumer)
        rmSync(home, { recursive: true, force: true })
      }
    },
  },
  {
    name: 'ali-ons, an independent JavaScript client: produce, consume, retry',
    async run(context) {
      const count = 30
      // It asks for the route of its own topic only, and gives up where there is none.
      const driver = await context.driver({ release: 'client-5.5' })
      await driver.call('producer', { id: 'p', group: context.name('p-ons') })
      await driver.send('p', { topic: context.name('ons'), body: 'ons-0', tags: 'even', keys: 'key-0' })
      const printed = await runAliOns(
        context.target.namesrv,
        context.name('ons'),
        context.name('ons-group'),
        String(count),
      )
      // What node/ali-ons.cjs prints.
      const { sent, received, redelivered } = parseJson<{
        sent: { sendStatus: string; msgId: string }[]
        received: { body: string; tags: string; keys: string }[]
        redelivered: number
      }>(printed.trim().split('\n').at(-1) ?? '')
      assert.equal(sent.filter(({ sendStatus }) => sendStatus === 'SEND_OK').length, count)
      const bodies = new Set(received.map(({ body }) => body))
      assert.deepEqual([...bodies].sort(), Array.from({ length: count }, (_, i) => `ons-${i}`).sort())
      assert.equal(redelivered, 1)
      assert.deepEqual(
        received.find(({ body }) => body === 'ons-4'),
        { body: 'ons-4', tags: 'even', keys: 'key-4' },
      )
    },
  },
]
