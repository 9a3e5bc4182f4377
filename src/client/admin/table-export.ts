/** The tables of a broker group as RocketMQ's files have them: what `TableImport` and a stock broker read. */
import { RequestCode } from '../../remoting/codes.ts'
import type { AdminConnection } from './connection.ts'
import type { ImportFile } from './table-import.ts'

const files = [
  ['topics.json', RequestCode.GET_ALL_TOPIC_CONFIG],
  ['subscriptionGroup.json', RequestCode.GET_ALL_SUBSCRIPTIONGROUP_CONFIG],
  ['consumerOffset.json', RequestCode.GET_ALL_CONSUMER_OFFSET],
] as const

/** Topics, groups and offsets, by the leader's word. */
export async function exportTables(at: AdminConnection, brokerName: string): Promise<ImportFile[]> {
  const broker = await at.brokerOf(brokerName)
  const answers = files.map(async ([name, code]) => ({ name, text: (await at.leader(broker, { code })).body }))
  return Promise.all(answers)
}
