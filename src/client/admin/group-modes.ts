/** When broker groups acknowledge a send: asked of their leaders, and changed. */
import { knownKeys } from '../../lib/known-keys.ts'
import type { Admin } from './admin.ts'
import { clientErrors } from '../core/errors.ts'
import { checkKeys, checkOneOf } from '../core/options.ts'
import { leaderOf } from '../core/topic-route.ts'

/** What is left out stays as it is. */
export interface GroupModeChange {
  readonly flush?: 'sync' | 'async'
  readonly replication?: 'sync' | 'async'
}

const keys = knownKeys<GroupModeChange>({ flush: true, replication: true })

/** When a broker group acknowledges a send, as its leader says. */
export interface GroupModeState {
  readonly brokerName: string
  readonly flush: string
  readonly replication: string
  /** Whether it acknowledges as in sync flush now, whatever the mode. */
  readonly isFlushing: boolean
}

/** The modes of all broker groups, or of `broker`. Errors: those of `Admin`. */
export async function groupModes(admin: Admin, broker?: string): Promise<GroupModeState[]> {
  const groups = (await admin.brokers()).filter(({ brokerName }) => broker === undefined || brokerName === broker)
  if (groups.length === 0) throw clientErrors.create('CLIENT_OPTION', `there is no broker group ${broker ?? ''}`)
  return Promise.all(
    groups.map(async (group) => {
      const leader = leaderOf(group)
      if (leader === undefined) throw clientErrors.create('CLIENT_NO_LEADER', `${group.brokerName} has no leader now`)
      const runtime = await admin.runtimeInfo(leader)
      const text = (key: string): string => runtime.get(`raftmq.mode.${key}`) ?? ''
      return {
        brokerName: group.brokerName,
        flush: text('flush'),
        replication: text('replication'),
        isFlushing: text('flushing') === 'true',
      }
    }),
  )
}

/** Changes the mode of a group. Resolves once it counts on all its nodes. Errors: those of `Admin`. */
export async function setGroupMode(admin: Admin, broker: string, change: GroupModeChange): Promise<void> {
  checkKeys(change, 'setGroupMode', keys)
  const { flush, replication } = change
  for (const [name, mode] of Object.entries(change)) if (mode !== undefined) checkOneOf(name, mode, ['sync', 'async'])
  await admin.updateConfig(broker, {
    ...(flush && { flushDiskType: flush === 'sync' ? 'SYNC_FLUSH' : 'ASYNC_FLUSH' }),
    ...(replication && { raftReplication: replication }),
  })
}
