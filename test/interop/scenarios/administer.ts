import assert from 'node:assert/strict'
import { mqadminAll } from '../support/admin.ts'
import { areCommitted } from '../support/committed.ts'
import { parseJson } from '../support/json.ts'
import { leaderAddress } from '../support/raftmq.ts'
import { type Scenario, until } from '../support/scenario.ts'
import { mqadmin } from '../support/stock.ts'

/** The cells of an mqadmin table, a row an array; comment and header lines begin with `#`. */
function rows(printed: string): string[][] {
  return printed
    .split('\n')
    .filter((line) => line.trim() !== '' && !line.startsWith('#'))
    .map((line) => line.trim().split(/\s{2,}|\s(?=\S+$)/))
}

function includes(printed: string, text: string): void {
  assert.ok(printed.includes(text), `${text} in\n${printed}`)
}

export const administer: readonly Scenario[] = [
  {
    name: 'mqadmin clusterList names every broker',
    async run({ target }) {
      const printed = await mqadmin(target.namesrv, 'clusterList')
      for (const broker of target.brokers) {
        const lines = printed
          .split('\n')
          .filter((line) => line.startsWith(target.cluster) && line.includes(` ${broker} `))
        assert.ok(
          lines.some((line) => /\s0\s+127\.0\.0\.1:\d+\s/.test(line)),
          printed,
        )
        assert.equal(lines.length, target.nodes, printed)
      }
      assert.ok(!/Exception/.test(printed), printed)
    },
  },
  {
    name: 'mqadmin updateTopic makes a topic that topicRoute, topicList and topicStatus show',
    async run(context) {
      const { target } = context
      const topic = context.name('administered')
      const made = await mqadmin(target.namesrv, 'updateTopic', '-c', target.cluster, '-t', topic, '-r', '6', '-w', '6')
      assert.match(made, /create topic to 127\.0\.0\.1:\d+ success/)
      const driver = await context.driver({ release: 'client-5.5' })
      await driver.call('producer', { id: 'p', group: context.name('p-administered') })
      await driver.send('p', { topic, body: 'counted', count: 60 })
      const route = await mqadmin(target.namesrv, 'topicRoute', '-t', topic)
      // mqadmin prints the route as fastjson's JSON: numbers as keys stand without quotes.
      const text = route.slice(route.indexOf('{'), route.lastIndexOf('}') + 1)
      const parsed = parseJson<{
        queueDatas: { brokerName: string; readQueueNums: number; writeQueueNums: number; perm: number }[]
        brokerDatas: { brokerName: string; brokerAddrs: Record<string, string> }[]
      }>(text.replaceAll(/([{,]\s*)(\d+)\s*:/g, '$1"$2":'))
      const [queues] = parsed.queueDatas
      assert.deepEqual([queues?.readQueueNums, queues?.writeQueueNums, queues?.perm], [6, 6, 6])
      assert.match(parsed.brokerDatas[0]?.brokerAddrs['0'] ?? '', /^127\.0\.0\.1:\d+$/)
      const list = await mqadmin(target.namesrv, 'topicList')
      assert.ok(
        list.split('\n').some((line) => line.trim() === topic),
        list,
      )
      const status = await mqadmin(target.namesrv, 'topicStatus', '-t', topic)
      const queueRows = rows(status).filter(([broker]) => target.brokers.includes(broker ?? ''))
      assert.equal(queueRows.length, 6, status)
      assert.equal(
        queueRows.reduce((sum, row) => sum + Number(row[3]), 0),
        60,
        status,
      )
    },
  },
  {
    name: 'mqadmin topicList -c shows cluster and consumer group of a topic',
    async run(context) {
      const { target } = context
      const topic = context.name('listed')
      const group = context.name('listed-group')
      const driver = await context.driver({ release: 'client-5.5' })
      await driver.call('producer', { id: 'p', group: context.name('p-listed') })
      await driver.send('p', { topic, body: 'one' })
      await driver.call('push', { id: 'c', group, topic })
      await until(
        'the message',
        () => driver.received('c').length > 0,
        () => 0,
      )
      const list = await mqadmin(target.namesrv, 'topicList', '-c')
      const line = list.split('\n').find((text) => text.includes(` ${topic} `)) ?? ''
      assert.ok(line.startsWith(target.cluster) && line.includes(group), list)
    },
  },
  {
    name: 'mqadmin consumerProgress shows offsets, difference and the client',
    async run(context) {
      const { target } = context
      const topic = context.name('progress')
      const group = context.name('progress-group')
      const driver = await context.driver({ release: 'client-5.5' })
      await driver.call('producer', { id: 'p', group: context.name('p-progress') })
      await driver.send('p', { topic, body: 'consumed', count: 20 })
      await driver.call('push', { id: 'c', group, topic })
      await until(
        '20 messages',
        () => driver.received('c').length >= 20,
        () => driver.received('c').length,
      )
      await driver.call('close', { id: 'c' })
      await driver.send('p', { topic, body: 'waiting', count: 7 })
      const printed = await mqadmin(target.namesrv, 'consumerProgress', '-g', group)
      assert.match(printed, /Consume Diff Total: 7\b/)
      const queueRows = printed.split('\n').filter((line) => line.startsWith(topic))
      assert.equal(queueRows.length, 4, printed)
      await driver.call('push', { id: 'c', group, topic })
      await until(
        '27 messages',
        () => driver.received('c').length >= 27,
        () => driver.received('c').length,
      )
      const all = await mqadmin(target.namesrv, 'consumerProgress')
      assert.ok(
        all.split('\n').some((line) => line.startsWith(group) && /CLUSTERING/.test(line)),
        all,
      )
    },
  },
  {
    name: 'mqadmin sees connections, configuration and runtime, makes and deletes groups and topics, finds messages',
    timeoutMs: 120_000,
    async run(context) {
      const { target } = context
      const [topic, group, producerGroup] = [context.name('more'), context.name('more-group'), context.name('p-more')]
      const driver = await context.driver({ release: 'client-5.5' })
      const client = await driver.call<string>('producer', { id: 'p', group: producerGroup })
      const [sent] = await driver.send('p', { topic, body: 'sought', keys: 'order-1' })
      const consumer = await driver.call<string>('push', { id: 'c', group, topic })
      await until(
        'the message',
        () => driver.received('c').length > 0,
        () => 0,
      )
      const admin = async (...command: [string, ...string[]]): Promise<string> => mqadmin(target.namesrv, ...command)
      const leader = /127\.0\.0\.1:\d+/.exec(await admin('topicRoute', '-t', topic))?.[0] ?? ''
      includes(await admin('consumerConnection', '-g', group), consumer)
      includes(await admin('producerConnection', '-g', producerGroup, '-t', topic), client)
      includes(await admin('brokerStatus', '-b', leader), 'brokerVersionDesc')
      includes(await admin('getBrokerConfig', '-b', leader), 'brokerName')
      includes(await admin('queryMsgByKey', '-t', topic, '-k', 'order-1'), sent?.msgId ?? '')
      includes(await admin('queryMsgByUniqueKey', '-t', topic, '-i', sent?.msgId ?? ''), 'order-1')
      includes(await admin('queryMsgById', '-t', topic, '-i', sent?.offsetMsgId ?? ''), 'order-1')
      const made = context.name('made-group')
      includes(await admin('updateSubGroup', '-c', target.cluster, '-g', made, '-r', '3'), 'success')
      includes(await admin('getConsumerConfig', '-g', made), made)
      includes(await admin('deleteSubGroup', '-c', target.cluster, '-g', made), 'success')
      await driver.call('close', { id: 'c' })
      await driver.call('close', { id: 'p' })
      includes(await admin('deleteTopic', '-c', target.cluster, '-t', topic), 'success')
      const list = await admin('topicList')
      assert.ok(!list.split('\n').some((line) => line.trim() === topic), list)
    },
  },
  {
    name: 'mqadmin 4.9.8: topics, groups, messages, offsets and statistics are made, shown and deleted',
    timeoutMs: 120_000,
    async run(context) {
      const { target } = context
      const [topic, group, made] = ['old-admin', 'old-admin-group', 'old-admin-made'].map((stem) => context.name(stem))
      const driver = await context.driver({ release: 'client-4.9' })
      await driver.call('producer', { id: 'p', group: context.name('p-old-admin') })
      const [sent] = await driver.send('p', { topic: topic ?? '', body: 'old', keys: 'order', count: 8 })
      await driver.call('push', { id: 'c', group: group ?? '', topic: topic ?? '' })
      await until(
        'eight messages',
        () => driver.received('c').length >= 8,
        () => driver.received('c').length,
      )
      await areCommitted(await leaderAddress(target.namesrv), topic ?? '', group ?? '')
      /** What each prints at least. */
      const commands: readonly (readonly [command: string, prints: string])[] = [
        [`updateTopic -c ${target.cluster} -t ${made} -r 2 -w 2`, 'success'],
        [`topicRoute -t ${made}`, 'queueDatas'],
        [`topicStatus -t ${topic}`, target.brokers[0] ?? ''],
        ['topicList', topic ?? ''],
        ['clusterList', target.cluster],
        [`updateSubGroup -c ${target.cluster} -g ${made}`, 'success'],
        [`consumerProgress -g ${group}`, 'Consume TPS'],
        [`consumerConnection -g ${group}`, 'V4_9_8'],
        [`queryMsgByKey -t ${topic} -k order-0`, '#Message ID'],
        [`queryMsgById -i ${sent?.offsetMsgId}`, 'OffsetID'],
        [`queryMsgByUniqueKey -t ${topic} -i ${sent?.msgId}`, 'order-0'],
        [`resetOffsetByTime -g ${group} -t ${topic} -s -1`, 'brokerName'],
        [`deleteSubGroup -c ${target.cluster} -g ${made}`, 'success'],
        [`deleteTopic -c ${target.cluster} -t ${made}`, 'success'],
      ]
      const words = commands.map(([command]) => command.split(' '))
      const printed = await mqadminAll(target.namesrv, words, 'tools-4.9')
      for (const [at, [command, prints]] of commands.entries()) {
        const text = printed[at] ?? ''
        assert.ok(text.includes(prints) && !/Exception/.test(text), `${command} prints\n${text}`)
      }
      context.note(`${commands.length} commands`)
    },
  },
]
