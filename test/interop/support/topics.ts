/** Topics that are there before anybody asks for them. */
import assert from 'node:assert/strict'
import { ask } from './ask.ts'
import { leaderAddress } from './raftmq.ts'
import type { Context } from './scenario.ts'

/** Makes a topic of four queues: a stock consumer asks for one that it did not find again only after half a minute. */
export async function makeTopic({ target }: Context, topic: string, attributes = ''): Promise<void> {
  const queues = { readQueueNums: '4', writeQueueNums: '4', perm: '6', topicFilterType: 'SINGLE_TAG' }
  const rest = { defaultTopic: 'TBW102', topicSysFlag: '0', order: 'false', attributes }
  const { code, remark } = await ask(await leaderAddress(target.namesrv), 17, { topic, ...queues, ...rest })
  assert.equal(code, 0, remark ?? '')
}
