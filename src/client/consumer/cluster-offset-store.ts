/** Offsets of a group, kept by the brokers and shared by its members (RocketMQ RemoteBrokerOffsetStore). */
import { queryOffset, updateOffset } from '../core/broker-api.ts'
import type { ClientCore } from '../core/client-core.ts'
import type { OffsetStore } from './offset-store.ts'

export function clusterOffsetStore(core: ClientCore, group: string, timeoutMs: number): OffsetStore {
  return {
    read(queue, signal) {
      const call = (address: string, options: object): Promise<number | undefined> =>
        queryOffset(core.invoke, address, { group, queue }, options)
      return core.callLeader(queue, call, { timeoutMs, signal })
    },
    async commit(offsets, signal) {
      const results = await Promise.allSettled(
        offsets.map(({ queue, queueOffset }) =>
          core.callLeader(
            queue,
            (address, options) => updateOffset(core.invoke, address, { group, queue, queueOffset }, options),
            { timeoutMs, signal },
          ),
        ),
      )
      for (const result of results) if (result.status === 'rejected') throw result.reason
    },
  }
}
