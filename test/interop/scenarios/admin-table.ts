import assert from 'node:assert/strict'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { mqadminAll, mqadminCommands } from '../support/admin.ts'
import { Driver } from '../support/driver.ts'
import { areCommitted } from '../support/committed.ts'
import { type Place, table } from './admin-rows.ts'
import { checkout, temporaryFolder } from '../support/places.ts'
import { leaderAddress, startRaftmq } from '../support/raftmq.ts'
import { pause, type Scenario, until } from '../support/scenario.ts'
import { startStock } from '../support/stock.ts'
import { closeAll, startAll, type Target } from '../support/target.ts'

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
        const wrong = table.flatMap(
          ({ command, differs, lacks, isCounting = false, mayAdd = false, keysOnly = false }, at) => {
            const [got = '', wanted = ''] = [ours?.[at], theirs?.[at]]
            assert.ok(got.trim() !== '' || wanted.trim() === '', `${command} prints nothing`)
            const isThrown = /Exception/.test(got) && !/Exception/.test(wanted)
            const [here = [], all = []] = [got, wanted].map((text) =>
              linesOf(text, isCounting).map((line) => (keysOnly ? line.replace(/ ?[:=].*/, '') : line)),
            )
            const stock = all.filter((line) => lacks?.test(line) !== true)
            const isSame = mayAdd ? stock.every((line) => here.includes(line)) : here.join() === stock.join()
            if (!isThrown && (differs !== undefined || isSame)) return []
            const shown = mayAdd ? stock.filter((line) => !here.includes(line)) : stock
            return [`${command}\n--- stock\n${shown.join('\n')}\n--- here\n${here.join('\n')}`]
          },
        )
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
      const commands = await mqadminCommands()
      assert.ok(commands.length > 80, `only ${commands.length} commands are read`)
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
  const folder = temporaryFolder('table')
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
    const [messageId, storedId] = [sent[1]?.msgId ?? '', sent[1]?.offsetMsgId ?? '']
    const named = { topic, group, idle, made, producers, messageId, storedId }
    const place = { leader, cluster: target.cluster, broker, folder, ...named }
    writeFileSync(join(folder, 'topics.json'), JSON.stringify([{ topicName: `${topic}-2`, readQueueNums: 2 }]))
    writeFileSync(join(folder, 'groups.json'), JSON.stringify([{ groupName: `${group}-2`, retryMaxTimes: 3 }]))
    const printed = await mqadminAll(
      target.namesrv,
      table.map(({ command }) => wordsOf(command, place)),
    )
    return printed.map((text) =>
      text.replaceAll(broker, 'BROKER').replaceAll(target.cluster, 'CLUSTER').replaceAll(folder, 'FOLDER'),
    )
  } finally {
    rmSync(folder, { recursive: true })
    await driver.close()
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
    STORED: place.storedId,
    FOLDER: place.folder,
  }
  return command.split(' ').map((word) => word.replace(/[A-Z]{4,}/, (name) => words[name] ?? name))
}

/** Lines without what differs from run to run, each once, in order. */
function linesOf(printed: string, isCounting: boolean): string[] {
  const lines = printed
    .replaceAll(/\d+\.\d+\.\d+\.\d+@[\d#]+/g, 'CLIENT')
    .replaceAll(/\/?(?:\d+\.){3}\d+:\d+/g, 'ADDRESS')
    .replaceAll(/\{0=ADDRESS[^}]*\}/g, 'ADDRESSES')
    .replaceAll(/\b(?:[0-9A-F]{56}|[0-9A-F]{32})\b/g, 'ID')
    .replaceAll(/@\d+\s*$/gm, '@NUMBER')
    .replaceAll(/rt=\d+ms/g, 'rt=TIME')
    .replaceAll(/\bV\d_\d_\d\b/g, 'VERSION')
    .replaceAll(/\d{4}-\d\d-\d\d[ #]\d\d:\d\d:\d\d[:,.]?\d*/g, 'TIME')
    .replaceAll(/\b\d+\.\d+\b/g, 'DECIMAL')
    .replaceAll(/(?<=\b(?:storeSize|commitLogOffset|bodyCRC|queueOffset|cost|Offset)[=: ]+)\d+/gi, 'NUMBER')
    .replaceAll(/\b\d{10,}\b/g, 'LONG')
    .split('\n')
    .map((line) => (isCounting ? line.replaceAll(/\b\d+\b/g, 'N') : line).replaceAll(/\s+/g, ' ').trim())
    .filter((line) => line !== '' && !/^(?:at |SLF4J|\tat )/.test(line))
  return [...new Set(lines)]
}
