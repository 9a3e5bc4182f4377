/** What the fake broker reads of requests, and how it writes answers. */
import { field, listOf, textOf } from '../../src/client/core/java-json.ts'
import type { Call, Reply } from '../../src/remoting/route.ts'

export function json(body: object): Reply {
  return { code: 0, body: Buffer.from(JSON.stringify(body)) }
}

export function stored(queueId: number, queueOffset: number, msgId: string): Record<string, string | number | boolean> {
  return { msgId, queueId, queueOffset, transactionId: msgId, MSG_REGION: 'DefaultRegion', TRACE_ON: true }
}

export function groupsOf(data: unknown): string[] {
  return listOf(field(data, 'consumerDataSet')).map((group) => textOf(field(group, 'groupName')) ?? '')
}

export function offsetKey(call: Call): string {
  return `${text(call, 'consumerGroup')} ${text(call, 'topic')} ${text(call, 'queueId')}`
}

export function text(call: Call, name: string): string {
  return call.fields.get(name) ?? ''
}

export function number(call: Call, name: string): number {
  return Number(call.fields.get(name) ?? 0)
}
