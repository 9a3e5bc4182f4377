import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { mqadminAll } from '../support/admin.ts'
import { parseJson } from '../support/json.ts'
import { checkout } from '../support/places.ts'
import type { Scenario } from '../support/scenario.ts'

const run = promisify(execFile)

export const traces: readonly Scenario[] = [
  {
    name: 'mqadmin queryMsgTraceById shows what our client tells of a message: sent, handled, ended',
    async run(context) {
      const { namesrv, cluster } = context.target
      const [topic, prefix] = [context.name('traced'), context.name('trace')]
      const made = [topic, 'RMQ_SYS_TRACE_TOPIC'].map((name) => `updateTopic -c ${cluster} -t ${name} -r 1 -w 1`)
      await mqadminAll(
        namesrv,
        made.map((line) => line.split(' ')),
      )
      const program = join(checkout, 'test/interop/node/traced.mjs')
      const { stdout } = await run(process.execPath, [program, namesrv, topic, prefix], { timeout: 60_000 })
      const ids = parseJson<{ sent: string; committed: string; recalled: string }>(stdout)
      const asked = [ids.sent, ids.committed, ids.recalled].map((id) => ['queryMsgTraceById', '-i', id])
      const [sent = '', committed = '', recalled = ''] = await mqadminAll(namesrv, asked)
      assert.match(sent, new RegExp(`Pub +${prefix}-sends .* success`), sent)
      assert.match(sent, new RegExp(`Sub[\\s\\S]*${prefix}-handles|${prefix}-handles[\\s\\S]*success`), sent)
      assert.match(committed, new RegExp(`Pub +${prefix}-ends .* success`), committed)
      assert.match(committed, new RegExp(`${prefix}-handles`), committed)
      assert.match(recalled, new RegExp(`Pub +${prefix}-sends .* success`), recalled)
      for (const text of [sent, committed, recalled]) assert.doesNotMatch(text, /Exception/)
    },
  },
]
