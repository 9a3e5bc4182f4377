/** The store of offsets that fits a consumer's model. */
import type { ClientCore } from '../core/client-core.ts'
import { clusterOffsetStore } from './cluster-offset-store.ts'
import type { ResolvedGroupOptions } from './group-options.ts'
import { localOffsetStore } from './local-offset-store.ts'
import type { OffsetStore } from './offset-store.ts'

export function offsetStoreOf(core: ClientCore, options: ResolvedGroupOptions): OffsetStore {
  const { model, offsetFile, group, requestTimeoutMs } = options
  return model === 'broadcast' ? localOffsetStore(offsetFile) : clusterOffsetStore(core, group, requestTimeoutMs)
}
