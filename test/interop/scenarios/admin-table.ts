import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { mqadminAll } from '../support/admin.ts'
import { Driver } from '../support/driver.ts'
import { ask } from '../support/ask.ts'
import { checkout } from '../support/places.ts'
import { leaderAddress, startRaftmq } from '../support/raftmq.ts'
import { pause, type Scenario, until } from '../support/scenario.ts'
import { startStock } from '../support/stock.ts'
import { closeAll, startAll, type Target } from '../support/target.ts'

/** Where a command is run: words of the table's commands stand for these. */
interface Place {
  readonly leader: string
  readonly cluster: string
  readonly broker: string
  readonly topic: string
  readonly group: string
  readonly idle: string
  readonly made: string
  readonly producers: string
  readonly messageId: string
}

interface Row {
  readonly command: string
  /** Numbers differ from run to run: only where they stand is compared. */
  readonly isCounting?: boolean
  /** Why it does not print the same; it must print something, and no stack trace unless stock does too. */
  readonly differs?: string
}

/** What is compared, in this order: commands that change something are looked at by those behind them. */
const table: readonly Row[] = [
  { command: 'updateTopic -c CLUSTER -t MADE -r 3 -w 3' },
  { command: 'updateTopicPerm -c CLUSTER -t MADE -p 4' },
  { command: 'topicRoute -t TOPIC -l' },
  { command: 'topicStatus -t TOPIC' },
  { command: 'topicClusterList -t TOPIC' },
  { command: 'allocateMQ -t TOPIC -i 127.0.0.1,127.0.0.2' },
  { command: 'updateOrderConf -t MADE -v BROKER:3 -m put' },
  { command: 'updateOrderConf -t MADE -m get' },
  { command: 'updateOrderConf -t MADE -m delete' },
  { command: 'deleteTopic -c CLUSTER -t MADE' },
  { command: 'updateSubGroup -c CLUSTER -g MADE -r 3' },
  { command: 'getConsumerConfig -g MADE' },
  { command: 'setConsumeMode -c CLUSTER -t TOPIC -g MADE -m POP -q 8' },
  { command: 'deleteSubGroup -c CLUSTER -g MADE -r true' },
  { command: 'consumerProgress -g GROUP', isCounting: true },
  { command: 'consumerStatus -g GROUP', isCounting: true },
  { command: 'cleanExpiredCQ -b LEADER' },
  { command: 'cleanUnusedTopic -b LEADER' },
  { command: 'deleteExpiredCommitLog -b LEADER' },
  { command: 'updateBrokerConfig -b LEADER -k brokerPermission -v 6' },
  { command: 'sendMsgStatus -b BROKER -c 1', isCounting: true },
  { command: 'brokerConsumeStats -b LEADER', isCounting: true },
  { command: 'queryMsgByKey -t TOPIC -k k-1' },
  { command: 'queryMsgByUniqueKey -t TOPIC -i MESSAGE' },
  { command: 'queryMsgByOffset -t TOPIC -b BROKER -i 0 -o 0' },
  { command: 'printMsg -t TOPIC' },
  { command: 'printMsgByQueue -t TOPIC -a BROKER -i 0 -p true' },
  { command: 'consumeMessage -t TOPIC -b BROKER -i 0 -o 0 -c 1' },
  { command: 'sendMessage -t TOPIC -p hello -b BROKER -i 0' },
  { command: 'checkMsgSendRT -t TOPIC -a 2 -s 10', isCounting: true },
  { command: 'consumerConnection -g GROUP' },
  { command: 'producerConnection -g PRODUCERS -t TOPIC' },
  { command: 'producer -b LEADER' },
  { command: 'resetOffsetByTime -g IDLE -t TOPIC -s -1' },
  { command: 'resetOffsetByTime -g IDLE -t TOPIC -b LEADER -q 0 -s -1 -o 1' },
  { command: 'skipAccumulatedMessage -g IDLE -t TOPIC' },
  { command: 'cloneGroupOffset -s GROUP -d IDLE -t TOPIC' },
  { command: 'queryCq -t TOPIC -q 0 -i 0 -c 1 -b LEADER', isCounting: true },
  { command: 'updateKvConfig -s tests -k one -v 1' },
  { command: 'deleteKvConfig -s tests -k one' },
  { command: 'wipeWritePerm -b BROKER', isCounting: true },
  { command: 'addWritePerm -b BROKER', isCounting: true },
  { command: 'statsAll -a -t TOPIC', isCounting: true },
]

export const adminTable: readonly Scenario[] = [
  {
    name: 'mqadmin prints the same lines as against a stock broker',
    skip: (target) => (target.name === 'raftmq' ? undefined : 'it is what is compared with'),
    timeoutMs: 240_000,
    async run(context) {
      // Both are new and ours alone: it wipes a broker's write permission, and lists who is connected.
      const targets = await startAll([startRaftmq, startStock])
      try {
        const names = ['topic', 'group', 'idle', 'made', 'p'].map((stem) => context.name(`table-${stem}`))
        const [ours, theirs] = await Promise.all(targets.map((target) => printedBy(target, names)))
        const wrong = table.flatMap(({ command, differs, isCounting = false }, at) => {
          const [got = '', wanted = ''] = [ours?.[at], theirs?.[at]]
          assert.ok(got.trim() !== '' || wanted.trim() === '', `${command} prints nothing`)
          const isThrown = /Exception/.test(got) && !/Exception/.test(wanted)
          if (!isThrown && (differs !== undefined || shapeOf(got, isCounting) === shapeOf(wanted, isCounting)))
            return []
          return [`${command}\n--- stock\n${shapeOf(wanted, isCounting)}\n--- here\n${shapeOf(got, isCounting)}`]
        })
        assert.equal(wrong.length, 0, `${wrong.length} of ${table.length} differ:\n${wrong.join('\n\n')}`)
        context.note(`${table.length} commands`)
      } finally {
        await closeAll(targets)
      }
    },
  },
  {
    name: 'mqadmin lists no command that docs/compatibility.md does not name',
    skip: (target) => (target.name === 'raftmq' ? undefined : 'the page is about RaftMQ'),
    async run(context) {
      const [help = ''] = await mqadminAll(context.target.namesrv, [[]])
      const commands = [...help.matchAll(/^ {3}(\w+) {2,}/gm)].map(([, name = '']) => name)
      assert.ok(commands.length > 80, `the help is not read: ${help}`)
      const page = readFileSync(join(checkout, 'docs/compatibility.md'), 'utf8')
      const rows = page.split('\n').filter((line) => line.startsWith('| '))
      const named = new Set(rows.flatMap((row) => (row.split('|')[1] ?? '').split(',').map((name) => name.trim())))
      assert.deepEqual(
        commands.filter((name) => !named.has(name)),
        [],
      )
      context.note(`${commands.length} commands`)
    },
  },
]

/** The same topic, group, messages and clients, and then all commands. */
async function printedBy(target: Target, names: readonly string[]): Promise<string[]> {
  const [topic = '', group = '', idle = '', made = '', producers = ''] = names
  const driver = await Driver.start({ release: 'client-5.5', namesrv: target.namesrv })
  try {
    const create = [`updateTopic -c ${target.cluster} -t ${topic} -r 4 -w 4`]
    for (const name of [group, idle]) create.push(`updateSubGroup -c ${target.cluster} -g ${name}`)
    await mqadminAll(
      target.namesrv,
      create.map((line) => line.split(' ')),
    )
    await driver.call('producer', { id: 'p', group: producers })
    await pause(1_500)
    const sent = await driver.send('p', { topic, body: 'sought', keys: 'k', tags: 'A', count: 8, shards: 4 })
    await driver.call('push', { id: 'c', group, topic })
    await until(
      'eight messages',
      () => driver.received('c').length >= 8,
      () => driver.received('c').length,
    )
    const leader = await leaderAddress(target.namesrv)
    await areCommitted(leader, topic, group)
    const [broker = ''] = target.brokers
    const messageId = sent[1]?.msgId ?? ''
    const place = { leader, cluster: target.cluster, broker, topic, group, idle, made, producers, messageId }
    return await mqadminAll(
      target.namesrv,
      table.map(({ command }) => wordsOf(command, place)),
    )
  } finally {
    await driver.close()
  }
}

/** A stock client commits ten seconds after its start for the first time. */
async function areCommitted(leader: string, topic: string, group: string): Promise<void> {
  const deadline = performance.now() + 30_000
  for (let queueId = 0; queueId < 4; ) {
    const asked = { consumerGroup: group, topic, queueId: String(queueId), setZeroIfNotFound: 'false' }
    const { code } = await ask(leader, 14, asked)
    if (code === 0) queueId++
    else if (performance.now() > deadline) throw new Error(`queue ${queueId} has no committed offset after 30 s`)
    else await pause(200)
  }
}

function wordsOf(command: string, place: Place): string[] {
  const words: Readonly<Record<string, string>> = {
    LEADER: place.leader,
    CLUSTER: place.cluster,
    BROKER: place.broker,
    TOPIC: place.topic,
    GROUP: place.group,
    IDLE: place.idle,
    MADE: place.made,
    PRODUCERS: place.producers,
    MESSAGE: place.messageId,
  }
  return command.split(' ').map((word) => word.replace(/[A-Z]{4,}/, (name) => words[name] ?? name))
}

/** Lines without what differs from run to run, each once, in order. */
function shapeOf(printed: string, isCounting: boolean): string {
  const lines = printed
    .replaceAll(/\d+\.\d+\.\d+\.\d+@[\d#]+/g, 'CLIENT')
    .replaceAll(/\/?(?:\d+\.){3}\d+:\d+/g, 'ADDRESS')
    .replaceAll(/\{0=ADDRESS[^}]*\}/g, 'ADDRESSES')
    .replaceAll(/\b(?:[0-9A-F]{56}|[0-9A-F]{32})\b/g, 'ID')
    .replaceAll(/@\d+\s*$/gm, '@NUMBER')
    .replaceAll(/rt=\d+ms/g, 'rt=TIME')
    .replaceAll(/\d{4}-\d\d-\d\d[ #]\d\d:\d\d:\d\d[:,.]?\d*/g, 'TIME')
    .replaceAll(/\b\d+\.\d+\b/g, 'DECIMAL')
    .replaceAll(/(?<=\b(?:storeSize|commitLogOffset|bodyCRC|queueOffset|cost|Offset)[=: ]+)\d+/gi, 'NUMBER')
    .replaceAll(/\b\d{10,}\b/g, 'LONG')
    .split('\n')
    .map((line) => (isCounting ? line.replaceAll(/\b\d+\b/g, 'N') : line).replaceAll(/\s+/g, ' ').trim())
    .filter((line) => line !== '' && !/^(?:at |SLF4J|\tat )/.test(line))
  return [...new Set(lines)].join('\n')
}
