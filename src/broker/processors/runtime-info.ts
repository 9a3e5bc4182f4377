/** What a node tells of itself and may be told: 25, 26, 28, 315 (RocketMQ AdminBrokerProcessor). */
import { BrokerStatsData, KvTable } from '../../remoting/bodies/broker.ts'
import { RequestCode, ResponseCode } from '../../remoting/codes.ts'
import { EmptyHeader } from '../../remoting/header.ts'
import { ViewBrokerStatsDataRequestHeader } from '../../remoting/headers/broker.ts'
import { type Call, type Reply, type Route, route } from '../../remoting/route.ts'
import { refusal } from '../errors.ts'
import { flushOf, type Mode } from '../group/group-mode.ts'
import type { LiveConfiguration } from '../options/live-configuration.ts'
import { type NodeRuntime, type RuntimeTableNeeds, runtimeTable } from '../stats/runtime-table.ts'

export interface RuntimeInfoNeeds extends RuntimeTableNeeds {
  readonly configuration: Pick<LiveConfiguration, 'text' | 'version' | 'update'>
  readonly nodeRuntime: () => Promise<NodeRuntime>
  /** Changes the group's mode; resolves when it counts. */
  readonly changeMode: (to: Partial<Mode>) => Promise<void>
}

export function runtimeInfo(need: RuntimeInfoNeeds): Route<unknown>[] {
  const { configuration, stats } = need
  /** Being put together for everybody who asks meanwhile: a client that asks without end costs no more than one that waits. */
  let underWay: Promise<Buffer> | undefined
  return [
    route({
      code: RequestCode.UPDATE_BROKER_CONFIG,
      request: EmptyHeader,
      async handle(_header, call: Call) {
        const { flushDiskType, raftReplication: replication } = configuration.update(call.body.toString())
        const flush = flushDiskType === undefined ? undefined : flushOf(flushDiskType)
        if (flush !== undefined || replication !== undefined) {
          await need.changeMode({ ...(flush && { flush }), ...(replication && { replication }) })
        }
        return { code: ResponseCode.SUCCESS }
      },
    }),
    route({
      code: RequestCode.GET_BROKER_CONFIG,
      request: EmptyHeader,
      handle: () => ({
        code: ResponseCode.SUCCESS,
        header: { version: JSON.stringify(configuration.version) },
        body: Buffer.from(configuration.text),
      }),
    }),
    route({
      code: RequestCode.GET_BROKER_RUNTIME_INFO,
      request: EmptyHeader,
      async handle() {
        underWay ??= runtimeBody().finally(() => (underWay = undefined))
        return { code: ResponseCode.SUCCESS, body: await underWay }
      },
    }),
    route({ code: RequestCode.VIEW_BROKER_STATS_DATA, request: ViewBrokerStatsDataRequestHeader, handle: statsOf }),
  ]

  async function runtimeBody(): Promise<Buffer> {
    return KvTable.encode({ table: runtimeTable(need, await need.nodeRuntime()) })
  }

  function statsOf({ statsName, statsKey }: ViewBrokerStatsDataRequestHeader): Reply {
    const report = stats.report(statsName, statsKey)
    if (report === undefined) throw refusal('BROKER_REFUSED', `The stats <${statsName}> <${statsKey}> not exist`)
    const { minute, hour, day } = report
    const body = BrokerStatsData.encode({ statsMinute: minute, statsHour: hour, statsDay: day })
    return { code: ResponseCode.SUCCESS, body }
  }
}
