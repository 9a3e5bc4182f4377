/**
 * What a node tells of itself, under RocketMQ's keys (AdminBrokerProcessor.prepareRuntimeInfo, StoreStatsService,
 * ScheduleMessageService.buildRunningStats). Tools parse most of the values as numbers: all are always there.
 */
import { SystemTopic } from '../../message/topic-name.ts'
import type { Admission } from '../log/admission.ts'
import type { BrokerStats, CounterName } from './broker-stats.ts'
import type { DelayOffsets } from '../timed/delay-offsets.ts'
import { delayQueueId } from '../timed/delay-levels.ts'
import type { PullHold } from '../clients/pull-hold.ts'

/** What the processors do not know themselves. */
export interface NodeRuntime {
  readonly bootTimestampMs: number
  readonly nowMs: number
  readonly commitLogMinOffset: number
  readonly commitLogMaxOffset: number
  readonly flushedOffset: number
  /** How far the queues are derived. */
  readonly dispatchedOffset: number
  /** Store time of the oldest message; -1 when there is none. */
  readonly earliestMessageTimestampMs: number
  readonly diskTotalBytes: number
  readonly diskFreeBytes: number
  /** Added as they are: `raftmq.*`. */
  readonly more: Readonly<Record<string, string>>
}

export interface RuntimeTableNeeds {
  readonly stats: BrokerStats
  readonly admission: Pick<Admission, 'count' | 'max'>
  readonly hold: Pick<PullHold, 'parkedCount'>
  readonly delayOffsets: DelayOffsets
  readonly store: {
    queueBounds(topic: string, queueId: number): { readonly min: number; readonly max: number } | undefined
  }
}

const VERSION = 'V5_3_3'

export function runtimeTable(need: RuntimeTableNeeds, node: NodeRuntime): Map<string, string> {
  const { counters, days } = need.stats
  const usedRatio = node.diskTotalBytes === 0 ? 0 : 1 - node.diskFreeBytes / node.diskTotalBytes
  const averageBytes = counters.putMessages === 0 ? 0 : counters.putBytes / counters.putMessages
  const rows: Record<string, string | number> = {
    brokerActive: 'true',
    brokerVersionDesc: VERSION,
    bootTimestamp: node.bootTimestampMs,
    runtime: duration(node.nowMs - node.bootTimestampMs),
    startAcceptSendRequestTimeStamp: 0,

    ...rates(need.stats),
    putMessageTimesTotal: counters.putMessages,
    putMessageFailedTimes: counters.putFailed,
    putMessageSizeTotal: counters.putBytes,
    putMessageAverageSize: averageBytes,
    putMessageEntireTimeMax: 0,
    putMessageDistributeTime: '',
    getMessageEntireTimeMax: 0,
    putLatency99: 0,
    putLatency999: 0,
    getFoundTimesTotal: counters.getFound,
    getMissTimesTotal: counters.getMissed,
    getTransferredMsgCount: counters.getMessages,
    msgPutTotalYesterdayMorning: days.yesterdayMorning.put,
    msgPutTotalTodayMorning: days.todayMorning.put,
    msgPutTotalTodayNow: days.now.put,
    msgGetTotalYesterdayMorning: days.yesterdayMorning.get,
    msgGetTotalTodayMorning: days.todayMorning.get,
    msgGetTotalTodayNow: days.now.get,

    commitLogMinOffset: node.commitLogMinOffset,
    commitLogMaxOffset: node.commitLogMaxOffset,
    commitLogDiskRatio: usedRatio,
    consumeQueueDiskRatio: usedRatio,
    commitLogDirCapacity: `Total : ${bytesText(node.diskTotalBytes)}, Free : ${bytesText(node.diskFreeBytes)}.`,
    dispatchBehindBytes: Math.max(0, node.commitLogMaxOffset - node.dispatchedOffset),
    dispatchMaxBuffer: 0,
    earliestMessageTimeStamp: node.earliestMessageTimestampMs,
    pageCacheLockTimeMills: 0,
    remainHowManyDataToFlush: bytesText(Math.max(0, node.commitLogMaxOffset - node.flushedOffset)),
    remainHowManyDataToCommit: bytesText(0),
    remainTransientStoreBufferNumbs: 0,

    ...queues('send', need.admission.count, need.admission.max),
    ...queues('pull', 0, 0),
    ...queues('litePull', 0, 0),
    ...queues('query', 0, 0),
    ...queues('ack', 0, 0),
    EndTransactionQueueSize: 0,
    EndTransactionThreadPoolQueueCapacity: 0,
    pullRequestsParked: need.hold.parkedCount,

    timerReadBehind: 0,
    timerOffsetBehind: 0,
    timerCongestNum: 0,
    timerEnqueueTps: '0.0',
    timerDequeueTps: '0.0',
  }
  for (const [level, next] of need.delayOffsets.all()) {
    const end = need.store.queueBounds(SystemTopic.schedule, delayQueueId(level))?.max ?? 0
    rows[`scheduleMessageOffset_${level}`] = `${next},${end}`
  }
  return new Map([...Object.entries(rows), ...Object.entries(node.more)].map(([key, value]) => [key, String(value)]))
}

/** Per second over 10 s, 60 s and 600 s, separated by spaces. 4.x tools read a key that is spelled otherwise. */
function rates(stats: BrokerStats): Record<string, string> {
  const text = (...names: CounterName[]): string => {
    const sums = names
      .map((name) => stats.rates(name))
      .reduce((sum, rate) => sum.map((one, at) => one + (rate[at] ?? 0)))
    return sums.map((rate) => String(rate)).join(' ')
  }
  const transferred = text('getMessages')
  return {
    putTps: text('putMessages'),
    getFoundTps: text('getFound'),
    getMissTps: text('getMissed'),
    getTotalTps: text('getFound', 'getMissed'),
    getTransferredTps: transferred,
    getTransferedTps: transferred,
  }
}

function queues(name: string, size: number, capacity: number): Record<string, number> {
  return {
    [`${name}ThreadPoolQueueSize`]: size,
    [`${name}ThreadPoolQueueCapacity`]: capacity,
    [`${name}ThreadPoolQueueHeadWaitTimeMills`]: 0,
  }
}

/** RocketMQ MixAll.humanReadableByteCount, binary. */
function bytesText(bytes: number): string {
  if (bytes < 1_024) return `${bytes} B`
  const exponent = Math.floor(Math.log(bytes) / Math.log(1_024))
  return `${(bytes / 1_024 ** exponent).toFixed(1)} ${'KMGTPE'.charAt(exponent - 1)}iB`
}

function duration(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1_000))
  const [days, hours, minutes] = [
    Math.floor(seconds / 86_400),
    Math.floor(seconds / 3_600) % 24,
    Math.floor(seconds / 60) % 60,
  ]
  return `[ ${days} days, ${hours} hours, ${minutes} minutes, ${seconds % 60} seconds ]`
}
